//! Accept loops: blocking, as the report's gateways are.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::connection::Connection;
use crate::lines::Lines;
use crate::options::Options;
use crate::reply::{Refusal, Reply};
use crate::request::Request;
use crate::{drain, upstream, workloads};

/// Most connections that are kept at a time, and so most threads.
pub const MAX_CONNECTIONS: usize = 2048;

/// What differs between gateways: who writes the body of `/`.
pub trait Body: Send + Sync + 'static {
    /// Whether requests for `path` are its own.
    fn takes(&self, path: &str) -> bool {
        path == "/"
    }

    fn reply(&self, request: &Request) -> Result<Reply, Refusal>;
}

pub struct Server<B> {
    pub options: Options,
    pub body: B,
    pub lines: Lines,
    counter: AtomicU64,
    connections: AtomicUsize,
}

/// A socket bound to where `options` says, which does not listen yet.
pub fn bind(options: &Options) -> io::Result<Socket> {
    let address = options.listen;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(options.reuse_port)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

impl<B: Body> Server<B> {
    pub fn new(options: Options, body: B) -> Arc<Self> {
        Arc::new(Self {
            options,
            body,
            lines: Lines::default(),
            counter: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
        })
    }

    /// Starts the accept loops and returns; they end with the process.
    pub fn start(self: &Arc<Self>, listener: TcpListener) -> io::Result<Vec<thread::JoinHandle<()>>> {
        drain::end_behind_requests_when_told(&listener);
        let listener = Arc::new(listener);
        (0..self.options.threads)
            .map(|_| {
                let (server, listener) = (Arc::clone(self), Arc::clone(&listener));
                thread::Builder::new().spawn(move || server.accept(&listener))
            })
            .collect()
    }

    /// Waits until the accept loops have ended, and all that they accepted is served.
    pub fn join(&self, loops: Vec<thread::JoinHandle<()>>) {
        for thread in loops {
            let _ = thread.join();
        }
        while self.connections.load(Ordering::Relaxed) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        loop {
            match listener.accept() {
                Ok((stream, _)) if self.options.keep_alive => self.keep(stream),
                Ok((stream, _)) => self.serve(stream),
                Err(_) if drain::is_told() => return,
                // Mostly no descriptor is left; the client waits in the queue until there is one.
                Err(error) if error.kind() != io::ErrorKind::ConnectionAborted => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(_) => {}
            }
        }
    }

    /// Serves a connection on a thread of its own.
    fn keep(self: &Arc<Self>, stream: TcpStream) {
        if self.connections.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            self.connections.fetch_sub(1, Ordering::Relaxed);
            if let Ok(connection) = Connection::new(stream, self.options.timeout) {
                self.refuse(connection, Refusal::new(503, format!("{MAX_CONNECTIONS} connections are kept already")));
            }
            return;
        }
        let server = Arc::clone(self);
        let thread = thread::Builder::new().spawn(move || {
            // A reply follows a request that acknowledged the one before, but one of several segments must not wait.
            let _ = stream.set_nodelay(true);
            server.serve(stream);
            server.connections.fetch_sub(1, Ordering::Relaxed);
        });
        if thread.is_err() {
            self.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn serve(&self, stream: TcpStream) {
        let Ok(mut connection) = Connection::new(stream, self.options.timeout) else { return };
        loop {
            let request = match connection.request() {
                Ok(Some(request)) => request,
                Ok(None) => return,
                Err(refusal) => return self.refuse(connection, refusal),
            };
            let reply = self.answer(&request).unwrap_or_else(Reply::from);
            let keep_alive = self.options.keep_alive && request.keep_alive && !drain::is_told();
            if connection.reply(&reply, Some(&request), keep_alive).is_err() {
                return;
            }
            if reply.status == 200 {
                self.lines.replied();
            }
            if !keep_alive {
                return connection.close();
            }
        }
    }

    fn refuse(&self, mut connection: Connection, refusal: Refusal) {
        if connection.reply(&refusal.into(), None, false).is_ok() {
            connection.linger();
        }
    }

    fn answer(&self, request: &Request) -> Result<Reply, Refusal> {
        match request.path() {
            path if self.body.takes(path) => self.body.reply(request),
            "/compute" => workloads::compute(request, self.options.max_iterations),
            "/state" => {
                let before = self.counter.fetch_add(1, Ordering::Relaxed);
                Ok(Reply::text(before.to_string().into_bytes()))
            }
            "/health" => Ok(Reply::text(&b"ok"[..])),
            _ => upstream::forward(self.options.upstream, &request.target, self.options.timeout),
        }
    }
}
