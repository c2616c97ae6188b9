//! `msgrctl demo`: the whole job with the real commands, against a Graph API in this process.

use std::io::Cursor;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::Parser as _;

use super::args::Cli;
use super::context::Context;
use super::error::{self, CliError};
use crate::env::Environment;
use crate::files;
use crate::operations::Invocation;
use crate::sandbox::{InProcess, TokenState, World};
use crate::secrets::MemoryStore;
use crate::ui::output::{KeptOutput, Output};
use crate::ui::style::{self, paint};
use crate::ui::terminal::Terminal;

/// What the operator types at the console.
const CONVERSATION: &str = "\
expect message parcel
take
say It left our house this morning.
expect read
end
expect closed
";

pub fn run(ctx: &Context) -> Result<u8, CliError> {
    if ctx.output.json {
        return Err(CliError::usage("the demo cannot be printed as JSON: omit --json"));
    }
    let failed = |what: &str, error: &dyn std::fmt::Display| CliError::failed(what.to_owned()).cause(error.to_string());
    let home = tempfile::tempdir().map_err(|error| failed("cannot create a directory for the demo", &error))?;
    let sandbox = InProcess::start(World::new(ctx.clock.clone()))
        .map_err(|error| failed("the demo's Graph API did not start", &error))?;
    let (page, token, app) = {
        let world = sandbox.world();
        let page = world.pages[0].clone();
        let token = world.page_token(&page.id).map(|token| token.value.clone()).unwrap_or_default();
        (page, token, world.apps[0].clone())
    };
    let env = Environment::default()
        .with("MSGRCTL_GRAPH_URL", &sandbox.url())
        .with("MSGRCTL_CONFIG_DIR", &home.path().to_string_lossy())
        .with("MSGRCTL_STORE", "memory")
        .with("MSGRCTL_APP_SECRET", &app.secret);
    let demo = Demo { ctx, env, memory: MemoryStore::default() };
    let address = free_address().map_err(|error| failed("cannot find a free port for the demo", &error))?;
    let callback = format!("http://{address}/webhook");

    demo.say("An administrator has a page access token, the id and secret of the Meta app, and the callback URL of the contact centre. Graph knows the rest.");
    let add = format!(
        "printf %s \"$TOKEN\" | MSGRCTL_APP_SECRET=\"$SECRET\" msgrctl account add --token-stdin --app-id {} --callback-url {callback}",
        app.id
    );
    demo.step(&add, &token, 0)?;
    let listener = demo.listen(home.path(), address)?;
    demo.say("Meta sends the Page's messages to the callback URL. First it asks the callback for a handshake; here msgrctl's own receiver answers, in another terminal.");
    demo.step("msgrctl webhook subscribe acme-support", "", 0)?;
    demo.say("The same handshake as Meta's, with the verify token and with a made-up one.");
    demo.step("msgrctl webhook verify acme-support", "", 0)?;
    demo.say("Test Connection: credentials, delivery, messages.");
    demo.step("msgrctl account test acme-support", "", 0)?;
    demo.say("A customer writes.");
    demo.step("msgrctl sandbox say --from 'Jane Doe' 'Hello, where is my parcel?'", "", 0)?;
    demo.show(listener)?;
    if let Some(token) = sandbox.world().page_token_mut(&page.id) {
        token.state = TokenState::PasswordChanged;
    }
    demo.say("Weeks later the person who made the token changes the Facebook password. Replies stop. Why? (The receiver in the other terminal has stopped too.)");
    demo.step("msgrctl account test acme-support", "", 7)?;
    demo.say("That command ended with exit code 7: a check found something. Nothing of the demo is kept. To add your own account: msgrctl account add");
    Ok(0)
}

/// An address without a listener.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

struct Demo<'a> {
    ctx: &'a Context,
    env: Environment,
    memory: MemoryStore,
}

/// The receiver in the other terminal.
struct Listener {
    thread: JoinHandle<u8>,
    kept: KeptOutput,
}

impl Demo<'_> {
    fn say(&self, text: &str) {
        self.ctx.output.result(&style::wrap(text, self.ctx.output.terminal.out().width, 0));
    }

    fn show_typed(&self, typed: &str) {
        let prompt = paint(style::BOLD, &format!("$ {typed}"), self.ctx.output.terminal.stdout_color);
        self.ctx.output.result(&format!("\n{prompt}"));
    }

    /// The msgrctl command of a line, after its pipe.
    fn parse(typed: &str) -> Result<Cli, CliError> {
        let command = typed.find("msgrctl ").map_or(typed, |at| &typed[at..]);
        let words = crate::programs::split(command).unwrap_or_default();
        Cli::try_parse_from(words)
            .map_err(|error| CliError::failed("a step of the demo is not a valid command").cause(error.to_string()))
    }

    /// Runs one typed command; `ends` is the expected exit code.
    fn step(&self, typed: &str, stdin: &str, ends: u8) -> Result<(), CliError> {
        self.show_typed(typed);
        let cli = Self::parse(typed)?;
        let stdin = Box::new(Cursor::new(stdin.to_owned()));
        let inner = self.ctx.for_step(self.env.clone(), &cli.global, stdin, self.memory.clone());
        let code = match super::dispatch(cli.command, &inner) {
            Ok(code) => code,
            Err(error) => error::render(&error, &inner.output),
        };
        self.ctx.output.result("");
        if code != ends {
            return Err(CliError::failed(format!("a step of the demo ended with {code} instead of {ends}")));
        }
        Ok(())
    }

    /// Starts the receiver with a script instead of a person; returns once it accepts
    /// connections.
    fn listen(&self, home: &Path, address: SocketAddr) -> Result<Listener, CliError> {
        const PATIENCE: Duration = Duration::from_secs(5);
        let script = home.join("conversation.txt");
        files::Lock::acquire(&script, files::Lock::PATIENCE, &|_| {})?.replace(CONVERSATION.as_bytes())?;
        let listen = Invocation::of("webhook listen").arg("acme-support").with("--listen", Some(&address.to_string()));
        let cli = Self::parse(&listen.with("--script", Some(&script.to_string_lossy())).to_string())?;
        let terminal = Terminal { stdin: false, stdout: false, stderr: false, ..self.ctx.output.terminal };
        let (env, memory) = (self.env.clone(), self.memory.clone());
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let (output, kept) = Output::kept(terminal);
            // The main thread waits for this.
            let _ = sender.send(kept);
            let inner = Context::on_thread(env, &cli.global, memory, output);
            match super::dispatch(cli.command, &inner) {
                Ok(code) => code,
                Err(error) => error::render(&error, &inner.output),
            }
        });
        let gone = |what: String| CliError::failed("the demo's receiver did not start").cause(what);
        let kept = receiver.recv().map_err(|error| gone(error.to_string()))?;
        let start = Instant::now();
        while TcpStream::connect_timeout(&address, PATIENCE).is_err() {
            if thread.is_finished() || start.elapsed() > PATIENCE {
                return Err(gone(kept.text()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Listener { thread, kept })
    }

    /// Shows what the receiver's terminal has printed.
    fn show(&self, listener: Listener) -> Result<(), CliError> {
        let code = listener.thread.join().unwrap_or(1);
        self.say("In the other terminal, which played the contact centre:");
        self.show_typed("msgrctl webhook listen acme-support --console");
        self.ctx.output.result(&listener.kept.text());
        if code == 0 {
            return Ok(());
        }
        Err(CliError::failed(format!("the conversation of the demo ended with {code}")))
    }
}
