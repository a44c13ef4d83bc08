//! The gateway: options, the writer of bodies, and the phases of its start.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway_common::json::push_string;
use gateway_common::lines::{Identity, Phases};
use gateway_common::options::{HELP, Options, number, one_of, value};
use gateway_common::process::{end_when_told, monotonic_ns};
use gateway_common::reply::{Refusal, Reply};
use gateway_common::request::Request;
use gateway_common::server::{Body, MAX_CONNECTIONS, Server, bind};

use crate::command::{Program, find};
use crate::engine::{self, Instances, Limits, Runner, Wasi};
use crate::hot::{self, Hot, Trust};
use crate::{Failure, NAME, SUBCOMMANDS};

/// Ways to let a body be written, by name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    Ondemand,
    Pre,
    Pool,
    Aot,
    Hot,
    SelfCli,
    Cat,
    Cli,
}

pub const MODES: [(&str, Mode); 8] = [
    ("ondemand", Mode::Ondemand),
    ("pre", Mode::Pre),
    ("pool", Mode::Pool),
    ("aot", Mode::Aot),
    ("hot", Mode::Hot),
    ("self-cli", Mode::SelfCli),
    ("cat", Mode::Cat),
    ("cli", Mode::Cli),
];

impl Mode {
    pub fn name(self) -> &'static str {
        MODES.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }

    /// How instances come to be where they live in this process, for at most `count` at a time.
    pub fn instances(self, count: usize) -> Option<Instances> {
        match self {
            Mode::Ondemand => Some(Instances::Linked),
            Mode::Pre | Mode::Hot => Some(Instances::Prepared),
            Mode::Pool | Mode::Aot => Some(Instances::Pooled(count as u32)),
            Mode::SelfCli | Mode::Cat | Mode::Cli => None,
        }
    }
}

/// Flags of modules, which all subcommands share.
pub struct ModuleOptions {
    pub module: Option<PathBuf>,
    pub mode: Mode,
    wasi: Option<Wasi>,
    pub limits: Limits,
}

impl Default for ModuleOptions {
    fn default() -> Self {
        let limits = Limits { deadline: Duration::from_millis(1000), memory: 64 << 20 };
        Self { module: None, mode: Mode::Ondemand, wasi: None, limits }
    }
}

impl ModuleOptions {
    /// Takes flag `name`, if it is one of these.
    pub fn take(&mut self, name: &str, parser: &mut lexopt::Parser) -> Result<bool, lexopt::Error> {
        match name {
            "module" => self.module = Some(parser.value()?.into()),
            "mode" => self.mode = MODES[one_of(parser, name, &MODES.map(|(name, _)| name))?].1,
            "wasi" => self.wasi = Some([Wasi::Full, Wasi::Lean][one_of(parser, name, &["full", "lean"])?]),
            "deadline-ms" => {
                self.limits.deadline = Duration::from_millis(number(parser, name, 1, 600_000)?);
            }
            "memory-mb" => self.limits.memory = (number(parser, name, 1, 4096)? as usize) << 20,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl ModuleOptions {
    /// As asked for, or as the mode has it: where all is done to be fast, lean.
    pub fn wasi(&self) -> Wasi {
        self.wasi.unwrap_or(match self.mode {
            Mode::Pool | Mode::Aot | Mode::Hot => Wasi::Lean,
            _ => Wasi::Full,
        })
    }
}

const MODULE_HELP: &str = "  --module FILE             a wasm32-wasip1 command; for aot: what `precompile` wrote
  --mode MODE               ondemand: linked and allocated for each request; pre: linked once; pool: and its memory from
                            a pool; aot: pool, compiled before; hot: the file is watched, and a module put there takes
                            over; self-cli: a process of this program for each request; cat: /bin/cat for each; cli:
                            the program after -- for each (ondemand)
  --wasi full|lean          full: the engine's own, with a context for each run; lean: own input and output, a context
                            only for a module that asks for more (lean for pool, aot and hot, full for all others)
  --deadline-ms N           longest run of a module, 1 to 600000 (1000)
  --memory-mb N             most linear memory of an instance, 1 to 4096 (64)
  --input hello|request     hello: `/` gives it the word; request: `/` and everything below /plugin give it the request
                            as JSON, without /plugin (hello)
  --watch on|off            hot: off: the module stays, as long as the process does (on)
  --digests FILE            hot: only modules whose SHA-256 begins a line of it are loaded
  --key HEX                 hot: only modules are loaded that this public key of ed25519 (64 digits) signed: 64 bytes
                            in a file beside the module, its name and .sig
";

/// What a module is given to read.
#[derive(Clone, Copy, PartialEq)]
enum Input {
    Hello,
    Request,
}

/// Path below which requests go to a module that reads them.
const PLUGIN: &str = "/plugin";

enum Writer {
    Engine(Box<Runner>),
    Hot(Arc<Hot>),
    Program(Program),
}

struct Written {
    writer: Writer,
    input: Input,
}

impl Body for Written {
    fn takes(&self, path: &str) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
        path == "/" || (self.input == Input::Request && path.strip_prefix(PLUGIN).is_some_and(below))
    }

    fn reply(&self, request: &Request) -> Result<Reply, Refusal> {
        let input = match self.input {
            Input::Hello => b"hello".to_vec(),
            Input::Request => describe(request).into_bytes(),
        };
        let reply = match &self.writer {
            Writer::Engine(runner) => runner.run(input).map(Reply::text),
            Writer::Hot(hot) => hot.reply(input),
            Writer::Program(program) => program.run(&input).map(Reply::text),
        }?;
        match reply.body.is_empty() {
            true => Err(Refusal::new(502, "the module wrote nothing")),
            false => Ok(reply),
        }
    }
}

/// A request as a plugin reads it.
fn describe(request: &Request) -> String {
    let path = request.path();
    let mut text = String::from("{\"path\":");
    let path = path.strip_prefix(PLUGIN).filter(|rest| rest.starts_with('/')).unwrap_or("/");
    push_string(&mut text, path.as_bytes());
    text.push_str(&format!(",\"method\":\"{}\",\"headers\":{{", request.method()));
    for (place, (name, value)) in request.headers().iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        push_string(&mut text, name.as_bytes());
        text.push(':');
        push_string(&mut text, value);
    }
    text.push_str("}}");
    text
}

struct Asked {
    options: Options,
    module: ModuleOptions,
    trust: Trust,
    follow: bool,
    input: Input,
}

fn parse(arguments: Vec<OsString>) -> Result<Asked, lexopt::Error> {
    let mut module = ModuleOptions::default();
    let mut trust = Trust::default();
    let mut follow = true;
    let mut input = Input::Hello;
    let options = Options::parse(&mut lexopt::Parser::from_args(arguments), |name, parser| {
        match name {
            "help" => {
                print!("usage: {NAME} [flags] [-- program arguments]\n{HELP}{MODULE_HELP}{SUBCOMMANDS}");
                std::process::exit(0);
            }
            "input" => input = [Input::Hello, Input::Request][one_of(parser, name, &["hello", "request"])?],
            "watch" => follow = one_of(parser, name, &["off", "on"])? == 1,
            "digests" => trust.digests = Some(parser.value()?.into()),
            "key" => trust.key = Some(value::<Key>(parser, name)?.0),
            _ => return module.take(name, parser),
        }
        Ok(true)
    })?;
    if (trust.any() || !follow) && module.mode != Mode::Hot {
        return Err("--watch, --digests and --key go with --mode hot".into());
    }
    Ok(Asked { options, module, trust, follow, input })
}

/// A public key as a flag has it.
struct Key(ed25519_compact::PublicKey);

impl std::str::FromStr for Key {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        hot::key(text).map(Key).ok_or(())
    }
}

/// Serves until this process is told to end. `main` is the reading of the clock at its start.
pub fn serve(mut arguments: Vec<OsString>, main: u64) -> Result<(), Failure> {
    let mut phases = Phases { main, ..Phases::default() };
    end_when_told();
    let dashes = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let argv = arguments.split_off(dashes).into_iter().skip(1).collect();
    let Asked { options, module, trust, follow, input } = parse(arguments)?;

    let (listen, backlog) = (options.listen, options.backlog);
    let cannot = |error| Failure::new(format!("cannot listen on {listen}: {error}"));
    let socket = bind(&options).map_err(cannot)?;
    phases.bound = monotonic_ns();
    let mut wasm = module.module.as_deref().map(read).transpose()?;
    let most = if options.keep_alive { MAX_CONNECTIONS } else { options.threads };
    let writer = match module.mode.instances(most) {
        Some(_) if module.mode == Mode::Hot => {
            let path = module.module.as_deref().ok_or_else(no_module)?;
            let (hot, first) = Hot::start(path, module.wasi(), module.limits, trust, follow)?;
            wasm = Some(first);
            phases.compiled = Some(monotonic_ns());
            phases.instantiated = phases.compiled;
            Writer::Hot(hot)
        }
        Some(instances) => {
            let (file, wasm) = module.module.as_deref().zip(wasm.as_deref()).ok_or_else(no_module)?;
            let compiled = compiled(file, wasm, &module, instances)?;
            phases.compiled = Some(monotonic_ns());
            let runner = runner(file, compiled, &module, instances)?;
            phases.instantiated = Some(monotonic_ns());
            Writer::Engine(Box::new(runner))
        }
        None => Writer::Program(program(&module, module.module.as_deref().zip(wasm.as_deref()), argv)?),
    };
    let file = module.module.as_deref().zip(wasm.as_deref());
    socket.listen(backlog).map_err(cannot)?;
    phases.listening = monotonic_ns();

    let listener = TcpListener::from(socket);
    let address = listener.local_addr().map_err(cannot)?;
    let server = Server::new(options, Written { writer, input });
    let loops = server.start(listener).map_err(|error| Failure::new(error.to_string()))?;
    server.lines.hello(&Identity { name: "host", mode: module.mode.name(), module: file }, address, &phases);
    server.join(loops);
    Ok(())
}

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}

/// The module of `options`, compiled now or before.
pub fn compiled(
    file: &Path,
    wasm: &[u8],
    options: &ModuleOptions,
    instances: Instances,
) -> Result<wasmtime::Module, Failure> {
    let engine = engine::engine(instances, options.limits).map_err(|error| cannot_run(file, &error))?;
    match options.mode {
        Mode::Aot => engine::load(&engine, file),
        _ => engine::compile(&engine, wasm),
    }
    .map_err(|error| cannot_run(file, &error))
}

pub fn runner(
    file: &Path,
    compiled: wasmtime::Module,
    options: &ModuleOptions,
    instances: Instances,
) -> Result<Runner, Failure> {
    Runner::new(compiled, instances, options.wasi(), options.limits).map_err(|error| cannot_run(file, &error))
}

pub fn no_module() -> Failure {
    Failure::usage("say which module with --module FILE")
}

/// One sentence of an error that may have many lines.
pub fn cannot_run(file: &Path, error: &wasmtime::Error) -> Failure {
    Failure::new(format!("{} cannot be used as a module: {}", file.display(), reason_of(error)))
}

/// The same without the file.
pub fn reason_of(error: &wasmtime::Error) -> String {
    let reason = error.chain().map(|cause| cause.to_string()).collect::<Vec<_>>().join(": ");
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The program of a mode that starts one for each request.
fn program(options: &ModuleOptions, file: Option<(&Path, &[u8])>, argv: Vec<OsString>) -> Result<Program, Failure> {
    let deadline = options.limits.deadline;
    let mut argv = argv.into_iter();
    match options.mode {
        Mode::SelfCli => {
            let (file, wasm) = file.ok_or_else(no_module)?;
            engine::validate(wasm).map_err(|error| cannot_run(file, &error))?;
            let path = std::env::current_exe().map_err(|error| Failure::new(error.to_string()))?;
            let memory = format!("--memory-mb={}", options.limits.memory >> 20);
            let deadline_ms = format!("--deadline-ms={}", deadline.as_millis());
            let arguments = vec!["run".into(), memory.into(), deadline_ms.into(), "--module".into(), file.into()];
            Ok(Program { path, arguments, deadline })
        }
        Mode::Cat => Ok(Program { path: "/bin/cat".into(), arguments: Vec::new(), deadline }),
        _ => {
            let name = argv.next().ok_or_else(|| Failure::usage("say which program after --"))?;
            let path =
                find(&name).ok_or_else(|| Failure::new(format!("there is no program {}", name.to_string_lossy())))?;
            Ok(Program { path, arguments: argv.collect(), deadline })
        }
    }
}
