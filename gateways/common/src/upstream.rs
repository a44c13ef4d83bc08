//! Forwarding: one request to the upstream on a connection of its own.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use httparse::Status;

use crate::connection::{is_timeout, remaining, write_by};
use crate::reply::{Refusal, Reply};
use crate::request::decimal;

/// Longest head and longest body of an upstream's reply, in bytes.
const MAX_HEAD: usize = 64 * 1024;
const MAX_BODY: usize = 1 << 20;
const MAX_HEADERS: usize = 100;

/// Asks `upstream` for `target`. The whole exchange takes no longer than `timeout`.
pub fn forward(upstream: SocketAddr, target: &str, timeout: Duration) -> Result<Reply, Refusal> {
    let deadline = Instant::now() + timeout;
    let fault = |error: std::io::Error| match is_timeout(&error) {
        true => slow(timeout),
        false => Refusal::new(502, format!("the upstream {upstream} does not answer: {error}")),
    };
    let mut stream = TcpStream::connect_timeout(&upstream, timeout).map_err(fault)?;
    stream.set_write_timeout(Some(timeout)).map_err(fault)?;
    let request = format!("GET {target} HTTP/1.1\r\nHost: {upstream}\r\nConnection: close\r\n\r\n");
    write_by(&mut stream, request.as_bytes(), timeout).map_err(fault)?;

    let mut reading = Reading::default();
    let mut piece = [0; 16 * 1024];
    loop {
        stream.set_read_timeout(Some(remaining(deadline).ok_or_else(|| slow(timeout))?)).map_err(fault)?;
        let length = match stream.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.map_err(fault)?,
        };
        if let Some(reply) = reading.take(&piece[..length])? {
            return Ok(reply);
        }
        if length == 0 {
            return Err(bad("ended in its middle"));
        }
    }
}

fn slow(timeout: Duration) -> Refusal {
    Refusal::new(504, format!("the upstream did not answer within {} ms", timeout.as_millis()))
}

fn bad(what: &str) -> Refusal {
    Refusal::new(502, format!("the upstream's reply {what}"))
}

/// A reply that comes in pieces.
#[derive(Default)]
struct Reading {
    bytes: Vec<u8>,
    head: Option<Head>,
}

struct Head {
    status: u16,
    content_type: String,
    body: Body,
}

/// How it is known where a body ends.
enum Body {
    Length(usize),
    Chunked(Chunks),
    UntilEnd,
}

impl Reading {
    /// Takes the next piece, an empty one at the end of the stream. The reply, when it is whole.
    fn take(&mut self, piece: &[u8]) -> Result<Option<Reply>, Refusal> {
        self.bytes.extend_from_slice(piece);
        while self.head.is_none() {
            let Some((head, length)) = parse_head(&self.bytes)? else { return Ok(None) };
            self.bytes.drain(..length);
            // 1xx only announce the reply.
            self.head = (head.status >= 200).then_some(head);
        }
        let Some(head) = &mut self.head else { return Ok(None) };
        if self.bytes.len() > MAX_BODY {
            return Err(bad("is too long"));
        }
        let body = match &mut head.body {
            Body::Length(length) if self.bytes.len() >= *length => {
                self.bytes.truncate(*length);
                std::mem::take(&mut self.bytes)
            }
            Body::UntilEnd if piece.is_empty() => std::mem::take(&mut self.bytes),
            Body::Chunked(chunks) => match chunks.advance(&self.bytes)? {
                true => std::mem::take(&mut chunks.body),
                false => return Ok(None),
            },
            _ => return Ok(None),
        };
        let content_type = std::mem::take(&mut head.content_type).into();
        Ok(Some(Reply { status: head.status, content_type, body: body.into(), module: None }))
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if bytes.len() <= MAX_HEAD => return Ok(None),
        Ok(Status::Partial) => return Err(bad("has too long a head")),
        Err(error) => return Err(bad(&format!("is malformed: {error}"))),
    };
    let status = parsed.code.filter(|code| (100..600).contains(code)).ok_or_else(|| bad("has no status"))?;
    let named = |name: &str| parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let body = if matches!(status, 100..200 | 204 | 304) {
        Body::Length(0)
    } else if let Some(coding) = named("transfer-encoding") {
        if !coding.value.eq_ignore_ascii_case(b"chunked") {
            return Err(bad("is coded in an unknown way"));
        }
        Body::Chunked(Chunks::default())
    } else if let Some(length) = named("content-length") {
        match decimal(length.value) {
            Some(length) if length <= MAX_BODY as u64 => Body::Length(length as usize),
            Some(_) => return Err(bad("is too long")),
            None => return Err(bad("has a length that is no number")),
        }
    } else {
        Body::UntilEnd
    };
    let content_type = named("content-type").map_or(&b"application/octet-stream"[..], |header| header.value);
    let content_type = String::from_utf8_lossy(content_type).into_owned();
    Ok(Some((Head { status, content_type, body }, length)))
}

/// A body in chunks, taken apart as it comes in.
#[derive(Default)]
struct Chunks {
    /// how far the bytes were read
    position: usize,
    body: Vec<u8>,
    /// the last chunk was read; what is left are trailers
    last: bool,
}

impl Chunks {
    /// Goes on in `bytes`, all that came after the head. True when the last chunk and its trailers were there.
    fn advance(&mut self, bytes: &[u8]) -> Result<bool, Refusal> {
        loop {
            let rest = &bytes[self.position..];
            if self.last {
                let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else { return Ok(false) };
                self.position += end + 2;
                if end == 0 {
                    return Ok(true);
                }
                continue;
            }
            let (start, size) = match httparse::parse_chunk_size(rest) {
                Ok(Status::Complete((start, size))) if size <= MAX_BODY as u64 => (start, size as usize),
                Ok(Status::Partial) => return Ok(false),
                _ => return Err(bad("has a chunk without a proper size")),
            };
            if size == 0 {
                self.last = true;
                self.position += start;
                continue;
            }
            let end = start + size;
            match rest.get(end..end + 2) {
                None => return Ok(false),
                Some(b"\r\n") => self.body.extend_from_slice(&rest[start..end]),
                Some(_) => return Err(bad("has a chunk of another size than it says")),
            }
            self.position += end + 2;
        }
    }
}
