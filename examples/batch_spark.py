# /// script
# requires-python = ">=3.11"
# dependencies = ["ferrocr[cpu,pdf,batch]", "pandas>=2.3", "pyspark>=4"]
# ///
"""Read pictures and documents with Spark's `mapInPandas`.

Run it with a folder and the folder for Parquet files. It needs Java, and what is named above on all machines.

    python batch_spark.py scans/ out/
"""

import sys

from pyspark.sql import SparkSession

from ferrocr.integrations.spark import page_schema, pages_of


def main() -> None:
    """Read a folder."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    spark = SparkSession.builder.appName("ferrocr").getOrCreate()
    # Few rows at a time, because they hold the files themselves.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "16")
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(sys.argv[1])
    # Each task loads the models: give it many files.
    pages = files.repartition(spark.sparkContext.defaultParallelism)
    pages.mapInPandas(pages_of(bytes_column="content"), page_schema()).write.parquet(sys.argv[2])
    spark.stop()


if __name__ == "__main__":
    main()
