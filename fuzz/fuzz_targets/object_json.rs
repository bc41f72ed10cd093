#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| tenure_fuzz::wire::object_json(text));
