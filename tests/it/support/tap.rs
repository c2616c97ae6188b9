//! A listening post between the binary and a server: what a proxy on the way would log.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub struct Tap {
    pub url: String,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// One that leads to `to`, until the tests end.
    pub fn start(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (noted, to) = (sent.clone(), to.strip_prefix("http://").unwrap().to_owned());
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let Ok(server) = TcpStream::connect(&to) else { continue };
                let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || carry(from_server, to_client, None));
                let noted = noted.clone();
                std::thread::spawn(move || carry(client, server, Some(&noted)));
            }
        });
        Self { url, sent }
    }

    /// The first lines of all requests: methods and addresses.
    pub fn addresses(&self) -> Vec<String> {
        let sent = String::from_utf8_lossy(&self.sent.lock().unwrap()).into_owned();
        let lines = sent.split("\r\n").filter_map(|line| line.strip_suffix(" HTTP/1.1"));
        // A body may stand before the next request.
        let methods = ["GET /", "POST /", "DELETE /"];
        lines
            .map(|line| {
                methods.iter().filter_map(|method| line.rfind(method)).max().map_or(line, |at| &line[at..]).to_owned()
            })
            .collect()
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, noted: Option<&Mutex<Vec<u8>>>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if let Some(noted) = noted {
            noted.lock().unwrap().extend_from_slice(&buffer[..read]);
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
