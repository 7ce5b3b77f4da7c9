"""Read pictures and documents with Spark's `mapInPandas`.

Run it with a folder and the folder for Parquet files. Needs Java, and ``pip install "ferrocr[cpu,pdf,batch]" pyspark``
with pandas on all machines.

    python examples/batch_spark.py scans/ out/
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
