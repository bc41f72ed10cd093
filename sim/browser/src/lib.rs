//! Reports in a browser: see `tests/`.
