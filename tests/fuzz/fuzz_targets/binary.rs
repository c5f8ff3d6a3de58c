#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shekara_fuzz::binary(data));
