//! One client's connection: requests in, replies out, each within the timeout.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use crate::reply::{Refusal, Reply};
use crate::request::{self, Request};

/// How long and how much of what a refused client still sends is read away: closing on unread bytes would reset the
/// connection, and the client would never see why.
const LINGER: Duration = Duration::from_millis(250);
const LINGER_BYTES: usize = 1 << 20;

/// Least room for what is read at a time, in bytes.
const PIECE: usize = 4096;

pub struct Connection {
    stream: TcpStream,
    timeout: Duration,
    /// what the socket's read timeout is set to
    armed: Duration,
    /// what came in and is not yet used are the first `filled` bytes
    input: Vec<u8>,
    filled: usize,
    output: Vec<u8>,
}

impl Connection {
    pub fn new(stream: TcpStream, timeout: Duration) -> io::Result<Self> {
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self { stream, timeout, armed: timeout, input: Vec::new(), filled: 0, output: Vec::new() })
    }

    /// The next request; `None` when the client is done, or silent for the timeout. A request takes no longer than the
    /// timeout as a whole, however small the pieces it comes in.
    pub fn request(&mut self) -> Result<Option<Request>, Refusal> {
        let mut deadline = None;
        loop {
            if self.filled > 0
                && let Some((request, used)) = request::parse(&self.input[..self.filled])?
            {
                self.input.copy_within(used..self.filled, 0);
                self.filled -= used;
                return Ok(Some(request));
            }
            let left = match deadline {
                None => self.timeout,
                Some(deadline) => remaining(deadline).unwrap_or_default(),
            };
            deadline.get_or_insert_with(|| Instant::now() + self.timeout);
            match self.read(left) {
                Ok(0) if self.filled == 0 => return Ok(None),
                Ok(0) => return Err(Refusal::new(400, "the request ended in its middle")),
                Ok(_) => {}
                Err(error) if is_timeout(&error) && self.filled > 0 => {
                    return Err(Refusal::new(408, "the request did not come to its end in time"));
                }
                Err(_) => return Ok(None),
            }
        }
    }

    fn read(&mut self, left: Duration) -> io::Result<usize> {
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        if left != self.armed {
            self.stream.set_read_timeout(Some(left))?;
            self.armed = left;
        }
        if self.input.len() - self.filled < PIECE {
            self.input.resize(self.filled + PIECE, 0);
        }
        loop {
            match self.stream.read(&mut self.input[self.filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(length) => {
                    self.filled += length;
                    return Ok(length);
                }
                other => return other,
            }
        }
    }

    /// Writes `reply` whole, or fails.
    pub fn reply(&mut self, reply: &Reply, request: Option<&Request>, keep_alive: bool) -> io::Result<()> {
        self.output.clear();
        reply.write_to(&mut self.output, request, keep_alive);
        write_by(&mut self.stream, &self.output, self.timeout)
    }

    /// Ends a connection after its last reply. A client that has sent more than was asked for is waited for.
    pub fn close(self) {
        let mut waiting: libc::c_int = 0;
        // SAFETY: the descriptor is open, `waiting` valid for writing.
        let asked = unsafe { libc::ioctl(self.stream.as_raw_fd(), libc::FIONREAD, &mut waiting) };
        if self.filled > 0 || (asked == 0 && waiting > 0) {
            self.linger();
        }
    }

    /// Ends a connection whose client may still be sending.
    pub fn linger(mut self) {
        let deadline = Instant::now() + LINGER.min(self.timeout);
        let mut taken = 0;
        let mut piece = [0; PIECE];
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        while taken < LINGER_BYTES
            && let Some(left) = remaining(deadline)
            && self.stream.set_read_timeout(Some(left)).is_ok()
        {
            match self.stream.read(&mut piece) {
                Ok(length) if length > 0 => taken += length,
                _ => return,
            }
        }
    }
}

/// Writes all of `bytes` within `timeout`, which the stream's write timeout is already set to.
pub fn write_by(stream: &mut TcpStream, bytes: &[u8], timeout: Duration) -> io::Result<()> {
    let mut written = stream.write(bytes)?;
    if written == bytes.len() {
        return Ok(());
    }
    let deadline = Instant::now() + timeout;
    while written < bytes.len() {
        let left = remaining(deadline).ok_or(ErrorKind::TimedOut)?;
        stream.set_write_timeout(Some(left))?;
        written += stream.write(&bytes[written..])?;
    }
    stream.set_write_timeout(Some(timeout))
}

/// Time until `deadline`; `None` when it has come.
pub fn remaining(deadline: Instant) -> Option<Duration> {
    deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

/// A socket's own timeout is reported as one kind or the other, depending on the system.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
