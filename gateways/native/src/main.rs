//! The gateway that answers in its own code.

use std::borrow::Cow;
use std::net::TcpListener;

use gateway_common::lines::{Identity, Phases};
use gateway_common::options::{HELP, Options, value};
use gateway_common::process::{end_when_told, fail, monotonic_ns};
use gateway_common::reply::{Refusal, Reply};
use gateway_common::request::Request;
use gateway_common::server::{Body, Server, bind};

const NAME: &str = "gateway-native";

const HELLO_HELP: &str = "  --hello TEXT              what it answers to / (hello)\n";

struct Hello(Cow<'static, [u8]>);

impl Body for Hello {
    fn reply(&self, _request: &Request) -> Result<Reply, Refusal> {
        Ok(Reply::text(self.0.clone()))
    }
}

fn main() {
    let mut phases = Phases { main: monotonic_ns(), ..Phases::default() };
    end_when_told();
    let mut hello = Hello(b"hello".into());
    let options = Options::parse(&mut lexopt::Parser::from_env(), |name, parser| {
        match name {
            "help" => {
                print!("usage: {NAME} [flags]\n{HELP}{HELLO_HELP}");
                std::process::exit(0);
            }
            "hello" => hello = Hello(value::<String>(parser, name)?.into_bytes().into()),
            _ => return Ok(false),
        }
        Ok(true)
    })
    .unwrap_or_else(|error| fail(NAME, error, 2));
    let (listen, backlog) = (options.listen, options.backlog);
    let cannot = |error| -> ! { fail(NAME, format!("cannot listen on {listen}: {error}"), 1) };

    let socket = bind(&options).unwrap_or_else(|error| cannot(error));
    phases.bound = monotonic_ns();
    socket.listen(backlog).unwrap_or_else(|error| cannot(error));
    phases.listening = monotonic_ns();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap_or_else(|error| cannot(error));
    let server = Server::new(options, hello);
    let loops = server.start(listener).unwrap_or_else(|error| fail(NAME, error, 1));
    let identity = Identity { name: "native", mode: "native", module: None };
    server.lines.hello(&identity, address, &phases);
    server.join(loops);
}
