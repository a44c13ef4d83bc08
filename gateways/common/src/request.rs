//! Requests, read from bytes of strangers: never more than is needed to say no.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

use crate::reply::Refusal;

/// Longest head of a request, in bytes.
pub const MAX_HEAD: usize = 16 * 1024;
/// Longest body of a request, in bytes. It is read and left aside.
const MAX_BODY: usize = 16 * 1024;
const MAX_HEADERS: usize = 100;

#[derive(Debug)]
pub struct Request {
    /// HEAD: the reply is without its body
    pub head_only: bool,
    /// path and query, visible ASCII, beginning with `/`
    pub target: String,
    /// whether the client will send another request
    pub keep_alive: bool,
    head: Vec<u8>,
}

impl Request {
    pub fn method(&self) -> &'static str {
        if self.head_only { "HEAD" } else { "GET" }
    }

    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The value of `name` in the query, the first one.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| match pair.split_once('=') {
            Some((key, value)) => (key == name).then_some(value),
            None => (pair == name).then_some(""),
        })
    }

    /// Names (lower case) and values of the headers in the order they came in, those of one name as one.
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        // It was read from these bytes, so it is read again.
        let _ = httparse::Request::new(&mut headers).parse(&self.head);
        for header in headers.iter().take_while(|header| !header.name.is_empty()) {
            let name = header.name.to_ascii_lowercase();
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some((_, value)) => {
                    value.extend_from_slice(b", ");
                    value.extend_from_slice(header.value);
                }
                None => found.push((name, header.value.to_vec())),
            }
        }
        found
    }
}

/// The request that `bytes` begin with, and how many of them are its own. `None`: more has to come.
pub fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, Refusal> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut []);
    let head = match parsed.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(Status::Complete(length)) if length <= MAX_HEAD => length,
        Ok(Status::Partial) if bytes.len() <= MAX_HEAD => return Ok(None),
        Ok(_) => return Err(Refusal::new(431, format!("the headers are longer than {MAX_HEAD} bytes"))),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::new(431, format!("there are more than {MAX_HEADERS} headers")));
        }
        Err(error) => return Err(Refusal::new(400, format!("malformed request: {error}"))),
    };
    let head_only = match parsed.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Err(Refusal::new(405, "only GET and HEAD are taken")),
    };
    let target = parsed.path.unwrap_or_default();
    if !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::new(400, "malformed request: the target is no path"));
    }
    let current = parsed.version == Some(1);
    if current && named(parsed.headers, "host").next().is_none() {
        return Err(Refusal::new(400, "malformed request: HTTP/1.1 without Host"));
    }
    let request = Request {
        head_only,
        target: target.to_owned(),
        keep_alive: keeps_alive(current, parsed.headers),
        head: bytes[..head].to_vec(),
    };
    let length = head + body_length(parsed.headers)?;
    Ok((bytes.len() >= length).then_some((request, length)))
}

fn named<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

fn keeps_alive(default: bool, headers: &[Header]) -> bool {
    let mut keep = default;
    for option in named(headers, "connection").flat_map(|value| value.split(|&byte| byte == b',')) {
        let option = option.trim_ascii();
        if option.eq_ignore_ascii_case(b"close") {
            return false;
        }
        keep |= option.eq_ignore_ascii_case(b"keep-alive");
    }
    keep
}

fn body_length(headers: &[Header]) -> Result<usize, Refusal> {
    if named(headers, "transfer-encoding").next().is_some() {
        return Err(Refusal::new(400, "a body in chunks is not taken"));
    }
    let mut lengths = named(headers, "content-length");
    let Some(text) = lengths.next() else { return Ok(0) };
    if lengths.any(|other| other != text) {
        return Err(Refusal::new(400, "malformed request: two lengths of its body"));
    }
    match decimal(text) {
        None => Err(Refusal::new(400, "malformed request: the length of its body is no number")),
        Some(length) if length > MAX_BODY as u64 => {
            Err(Refusal::new(413, format!("the body is longer than {MAX_BODY} bytes")))
        }
        Some(length) => Ok(length as usize),
    }
}

/// A number written with digits alone. One too long for 64 bits is as good as the longest.
pub fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(text.iter().fold(0, add))
}
