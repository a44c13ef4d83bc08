//! The gateway that answers in its own code.

use std::net::TcpListener;

use gateway_common::lines::{Identity, Phases};
use gateway_common::options::{HELP, Options};
use gateway_common::process::{end_when_told, fail, monotonic_ns};
use gateway_common::reply::{Refusal, Reply};
use gateway_common::request::Request;
use gateway_common::server::{Body, Server, bind};

const NAME: &str = "gateway-native";

struct Hello;

impl Body for Hello {
    fn reply(&self, _request: &Request) -> Result<Reply, Refusal> {
        Ok(Reply::text(&b"hello"[..]))
    }
}

fn main() {
    let mut phases = Phases { main: monotonic_ns(), ..Phases::default() };
    end_when_told();
    let options = Options::parse(&mut lexopt::Parser::from_env(), |name, _| {
        if name == "help" {
            print!("usage: {NAME} [flags]\n{HELP}");
            std::process::exit(0);
        }
        Ok(false)
    })
    .unwrap_or_else(|error| fail(NAME, error, 2));
    let (listen, backlog) = (options.listen, options.backlog);
    let cannot = |error| -> ! { fail(NAME, format!("cannot listen on {listen}: {error}"), 1) };

    let socket = bind(listen).unwrap_or_else(|error| cannot(error));
    phases.bound = monotonic_ns();
    socket.listen(backlog).unwrap_or_else(|error| cannot(error));
    phases.listening = monotonic_ns();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap_or_else(|error| cannot(error));
    let server = Server::new(options, Hello);
    let loops = server.start(listener).unwrap_or_else(|error| fail(NAME, error, 1));
    let identity = Identity { name: "native", mode: "native", module: None };
    server.lines.hello(&identity, address, &phases);
    for thread in loops {
        let _ = thread.join();
    }
}
