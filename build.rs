//! Hands the pages of the documentation on to maturin, which puts them into the wheel: docs/rules.md, as docstrings
//! call it, is then in the installed package.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=docs");
    if env::var_os("CARGO_FEATURE_PYTHON").is_none() {
        return Ok(());
    }
    let out = env::var_os("OUT_DIR").map(|folder| Path::new(&folder).join("docs")).ok_or(io::ErrorKind::NotFound)?;
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    // The crate that Rust's registry has brings no pages.
    let Ok(pages) = fs::read_dir("docs") else { return Ok(()) };
    for page in pages {
        let path = page?.path();
        if path.extension().is_some_and(|suffix| suffix == "md")
            && let Some(name) = path.file_name()
        {
            fs::copy(&path, out.join(name))?;
        }
    }
    Ok(())
}
