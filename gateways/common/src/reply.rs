//! Replies, and the reasons why there is none but an error.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use crate::request::Request;

/// An HTTP status and one line that says why.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub reason: String,
}

impl Refusal {
    pub fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

/// Field of a reply whose body a module wrote that may be exchanged: which one it was, by its SHA-256.
const MODULE: &str = "X-Module-Sha256";

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: Cow<'static, str>,
    pub body: Cow<'static, [u8]>,
    /// of the module that wrote the body, where it may be another one the next time
    pub module: Option<Arc<str>>,
}

impl Reply {
    pub fn text(body: impl Into<Cow<'static, [u8]>>) -> Self {
        Self { status: 200, content_type: "text/plain".into(), body: body.into(), module: None }
    }

    /// Appends the reply as it goes out. `request` is absent where there was none that could be read.
    pub fn write_to(&self, out: &mut Vec<u8>, request: Option<&Request>, keep_alive: bool) {
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let allow = if self.status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
        // Writing to a vector does not fail.
        let _ = write!(
            out,
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{allow}",
            self.status,
            phrase(self.status),
            self.content_type,
            self.body.len(),
        );
        if let Some(digest) = &self.module {
            let _ = write!(out, "{MODULE}: {digest}\r\n");
        }
        let _ = write!(out, "Connection: {connection}\r\n\r\n");
        if !request.is_some_and(|request| request.head_only) {
            out.extend_from_slice(&self.body);
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        // A reason may quote what others wrote; it stays one line.
        let line = refusal.reason.replace(['\r', '\n'], " ") + "\n";
        Self { status: refusal.status, ..Self::text(line.into_bytes()) }
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}
