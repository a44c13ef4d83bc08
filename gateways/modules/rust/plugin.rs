//! Routes a request and rewrites it: reads one JSON object {"path": "...", "method": "...", "headers": {...}}, finds the
//! route of the path by a table of patterns, and writes
//! {"route": NAME, "params": [...], "target": PATH, "verb": METHOD IN UPPER CASE, "headers": {...}},
//! with some headers under other names. Anything else it is given ends it with exit code 1 and without output.
//! The same program stands in AssemblyScript beside this one; both write the same to the byte.

use std::io::{stdin, stdout, Read, Write};

/// Names of routes and the patterns of their paths, first match first.
///
/// A pattern is a regular expression without alternatives that matches a path as a whole: bytes, `.`, classes like
/// `[a-z0-9-]`, each with `?`, `*` or `+` behind it if need be, and groups `( )` whose text is a parameter.
const ROUTES: [(&str, &str); 5] = [
    ("home", "/"),
    ("user", "/users/([0-9]+)"),
    ("comment", "/articles/([a-z0-9-]+)/comments/([0-9]+)"),
    ("article", "/articles/([a-z0-9-]+)"),
    ("asset", "/assets/(.+)[.]([a-z]+)"),
];
const NO_ROUTE: &str = "other";

/// Headers that get another name.
const RENAMED: [(&str, &str); 2] = [("host", "authority"), ("user-agent", "agent")];

/// Deepest nesting of values that are passed over.
const MAX_DEPTH: usize = 64;

fn main() {
    let mut input = Vec::new();
    let output = match stdin().read_to_end(&mut input) {
        Ok(_) => transform(&input),
        Err(_) => None,
    };
    match output.map(|output| stdout().write_all(&output)) {
        Some(Ok(())) => {}
        _ => std::process::exit(1),
    }
}

fn transform(input: &[u8]) -> Option<Vec<u8>> {
    let (mut path, mut method, mut headers) = (None, None, None);
    let mut json = Json { input, position: 0 };
    json.object(|json, key| {
        match key.as_slice() {
            b"path" => path = Some(json.string()?),
            b"method" => method = Some(json.string()?),
            b"headers" => headers = Some(read_headers(json)?),
            _ => json.skip(MAX_DEPTH)?,
        }
        Some(())
    })?;
    json.end()?;
    Some(write(&path?, &method?, &headers?))
}

type Header = (Vec<u8>, Vec<u8>);

fn read_headers(json: &mut Json) -> Option<Vec<Header>> {
    let mut headers = Vec::new();
    json.object(|json, name| {
        headers.push((name, json.string()?));
        Some(())
    })?;
    Some(headers)
}

fn write(path: &[u8], method: &[u8], headers: &[Header]) -> Vec<u8> {
    let (route, params) = find_route(path);
    let mut out = b"{\"route\":".to_vec();
    write_string(&mut out, route.as_bytes());
    out.extend(b",\"params\":[");
    for (place, param) in params.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_string(&mut out, param);
    }
    out.extend(b"],\"target\":");
    write_string(&mut out, path);
    out.extend(b",\"verb\":");
    write_string(&mut out, &method.to_ascii_uppercase());
    out.extend(b",\"headers\":{");
    for (place, (name, value)) in headers.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let renamed = RENAMED.iter().find(|(old, _)| old.as_bytes() == name.as_slice());
        write_string(&mut out, renamed.map_or(name, |(_, new)| new.as_bytes()));
        out.push(b':');
        write_string(&mut out, value);
    }
    out.extend(b"}}");
    out
}

fn find_route(path: &[u8]) -> (&'static str, Vec<&[u8]>) {
    for (name, pattern) in ROUTES {
        let mut marks = Vec::new();
        if matches(pattern.as_bytes(), path, 0, &mut marks) {
            return (name, marks.chunks(2).map(|ends| &path[ends[0]..ends[1]]).collect());
        }
    }
    (NO_ROUTE, Vec::new())
}

/// Whether `pattern` matches `text` from `at` to its end. `marks` gets the places of all brackets of groups.
fn matches(pattern: &[u8], text: &[u8], at: usize, marks: &mut Vec<usize>) -> bool {
    let first = match pattern.first() {
        None => return at == text.len(),
        Some(first) => *first,
    };
    if first == b'(' || first == b')' {
        marks.push(at);
        let matched = matches(&pattern[1..], text, at, marks);
        if !matched {
            marks.pop();
        }
        return matched;
    }
    let end = match first {
        b'[' => pattern.iter().position(|&byte| byte == b']').map_or(pattern.len(), |end| end + 1),
        _ => 1,
    };
    let (atom, rest) = pattern.split_at(end);
    let (least, most, rest) = match rest.first() {
        Some(b'?') => (0, 1, &rest[1..]),
        Some(b'*') => (0, usize::MAX, &rest[1..]),
        Some(b'+') => (1, usize::MAX, &rest[1..]),
        _ => (1, 1, rest),
    };
    let mut count = 0;
    while count < most && at + count < text.len() && takes(atom, text[at + count]) {
        count += 1;
    }
    // The longest first, then ever shorter.
    while count >= least {
        if matches(rest, text, at + count, marks) {
            return true;
        }
        if count == 0 {
            break;
        }
        count -= 1;
    }
    false
}

fn takes(atom: &[u8], byte: u8) -> bool {
    match atom[0] {
        b'.' => true,
        b'[' => {
            let mut at = 1;
            while at < atom.len() - 1 {
                let range = at + 2 < atom.len() - 1 && atom[at + 1] == b'-';
                let last = if range { atom[at + 2] } else { atom[at] };
                if (atom[at]..=last).contains(&byte) {
                    return true;
                }
                at += if range { 3 } else { 1 };
            }
            false
        }
        literal => literal == byte,
    }
}

fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            0..=0x1f => out.extend(format!("\\u{:04x}", byte).bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// As much of a JSON reader as is needed. `None` everywhere: this is not what was expected.
struct Json<'a> {
    input: &'a [u8],
    position: usize,
}

impl<'a> Json<'a> {
    fn peek(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Some(byte)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    /// Takes `byte` after any white space.
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.space();
        if self.next()? == byte {
            Some(())
        } else {
            None
        }
    }

    fn end(&mut self) -> Option<()> {
        self.space();
        if self.peek().is_none() {
            Some(())
        } else {
            None
        }
    }

    /// Calls `member` at each value, with its key.
    fn object(&mut self, mut member: impl FnMut(&mut Self, Vec<u8>) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        self.space();
        if self.peek()? == b'}' {
            self.position += 1;
            return Some(());
        }
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            member(self, key)?;
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<Vec<u8>> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Some(text),
                b'\\' => self.escape(&mut text)?,
                0..=0x1f => return None,
                byte => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let byte = match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'f' => 12,
            b'r' => 13,
            b'u' => {
                let point = self.code_point()?;
                let point = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend(point.encode_utf8(&mut [0; 4]).bytes());
                return Some(());
            }
            _ => return None,
        };
        text.push(byte);
        Some(())
    }

    /// After `\u`. A surrogate without the other one stays what it is.
    fn code_point(&mut self) -> Option<u32> {
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) || !self.input[self.position..].starts_with(b"\\u") {
            return Some(high);
        }
        let back = self.position;
        self.position += 2;
        let low = self.hex()?;
        if (0xdc00..0xe000).contains(&low) {
            return Some(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        }
        self.position = back;
        Some(high)
    }

    fn hex(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number * 16 + char::from(self.next()?).to_digit(16)?;
        }
        Some(number)
    }

    /// Passes over any value.
    fn skip(&mut self, depth: usize) -> Option<()> {
        if depth == 0 {
            return None;
        }
        self.space();
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.object(|json, _| json.skip(depth - 1)),
            b'[' => self.array(depth),
            _ => self.word(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.expect(b'[')?;
        self.space();
        if self.peek()? == b']' {
            self.position += 1;
            return Some(());
        }
        loop {
            self.skip(depth - 1)?;
            self.space();
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    /// A number, true, false or null; which of them does not matter.
    fn word(&mut self) -> Option<()> {
        let start = self.position;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')) {
            self.position += 1;
        }
        if self.position > start {
            Some(())
        } else {
            None
        }
    }
}
