//! A callback that keeps what it is sent and answers as it is told.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn query(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&format!("http://x{}", self.target)).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The one event in it.
    pub fn event(&self) -> Value {
        let entry = self.json()["entry"][0].clone();
        entry.get("messaging").or_else(|| entry.get("standby")).unwrap()[0].clone()
    }
}

/// How the next request is answered; no text: with the challenge that it brings; no time:
/// never.
type Script = VecDeque<(u16, Option<String>, Option<Duration>)>;

pub struct Hook {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
    script: Arc<Mutex<Script>>,
}

impl Hook {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (received, script) = (Arc::default(), Arc::default());
        let hook = Self { url, received: Arc::clone(&received), script: Arc::clone(&script) };
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (received, script) = (Arc::clone(&received), Arc::clone(&script));
                std::thread::spawn(move || answer(stream, &received, &script));
            }
        });
        hook
    }

    /// The next request is answered so; then the next one.
    pub fn will_answer(&self, status: u16, body: &str) {
        self.script.lock().unwrap().push_back((status, Some(body.into()), Some(Duration::ZERO)));
    }

    pub fn will_answer_late(&self, after: Duration) {
        self.script.lock().unwrap().push_back((200, Some(String::new()), Some(after)));
    }

    /// The next request is held until who sent it gives up.
    pub fn will_not_answer(&self) {
        self.script.lock().unwrap().push_back((200, None, None));
    }

    /// The next challenge is sent back so much later.
    pub fn will_confirm_late(&self, after: Duration) {
        self.script.lock().unwrap().push_back((200, None, Some(after)));
    }

    pub fn received(&self) -> MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap()
    }

    /// The events so far, waiting until there are `count`.
    #[track_caller]
    pub fn events(&self, count: usize) -> Vec<Received> {
        self.wait_for(count, |one| one.method == "POST")
    }

    /// Waits until there were so many requests.
    #[track_caller]
    pub fn wait_for_requests(&self, count: usize) {
        self.wait_for(count, |_| true);
    }

    #[track_caller]
    fn wait_for(&self, count: usize, is: impl Fn(&Received) -> bool) -> Vec<Received> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let found: Vec<Received> = self.received().iter().filter(|one| is(one)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            assert!(Instant::now() < end, "{} of {count}: {found:#?}", found.len());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn answer(mut stream: TcpStream, received: &Mutex<Vec<Received>>, script: &Mutex<Script>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut parts = line.split(' ');
    let (method, target) = (parts.next().unwrap().to_owned(), parts.next().unwrap().to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut request = Received { method, target, headers, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).unwrap();
    let challenge = request.query("hub.challenge");
    // First what is answered to it: whoever sees the request may write the next answer.
    let told = script.lock().unwrap().pop_front();
    received.lock().unwrap().push(request);
    let (status, body, delay) = told.unwrap_or((200, None, Some(Duration::ZERO)));
    let body = body.or(challenge).unwrap_or_default();
    let Some(delay) = delay else {
        let _ = reader.read_to_end(&mut Vec::new());
        return;
    };
    std::thread::sleep(delay);
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes());
}
