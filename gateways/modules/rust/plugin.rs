//! Routes a request and rewrites it: reads one JSON object {"path": "...", "method": "...", "headers": {...}}, finds the
//! route of the path by a table of patterns, and writes
//! {"route": NAME, "params": [...], "target": PATH, "verb": METHOD IN UPPER CASE, "headers": {...}},
//! with some headers under other names. Anything else it is given ends it with exit code 1 and without output.
//! The same program stands in AssemblyScript beside this one; both write the same to the byte.

mod json;

use std::io::{stdin, stdout, Read, Write};

use json::{write_string, Json};

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
    let mut json = Json::new(input);
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
