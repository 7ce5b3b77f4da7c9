"""OCR with a Rust core."""
