//! As much JSON as is written here: strings.

/// Appends `bytes` as a JSON string. What is no UTF-8 is taken as Latin-1, as HTTP headers are.
pub fn push_string(out: &mut String, bytes: &[u8]) {
    out.push('"');
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().for_each(|c| push_char(out, c)),
        Err(_) => bytes.iter().for_each(|&byte| push_char(out, byte as char)),
    }
    out.push('"');
}

fn push_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
        c => out.push(c),
    }
}
