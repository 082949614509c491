//! A server that does what a test wants, for the faults that real servers seldom have.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    /// Where the range begins.
    pub start: Option<usize>,
    /// How many requests for this path came before.
    pub earlier: usize,
}

pub struct Scripted {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    /// Serves the files of `web`, except for what `script` answers itself: then it says true.
    pub fn start(
        web: PathBuf,
        script: impl Fn(&Request, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, script) = (requests.clone(), Arc::new(script));
        // Ends with the tests.
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (log, script, web) = (log.clone(), script.clone(), web.clone());
                thread::spawn(move || {
                    let Some(request) = read(&stream, &log) else {
                        return;
                    };
                    if !script(&request, &mut stream) {
                        let body = fs::read(web.join(request.path.trim_start_matches('/')));
                        match body {
                            Ok(body) => {
                                partial(&mut stream, &body, request.start.unwrap_or(0), usize::MAX)
                            }
                            Err(_) => send(
                                &mut stream,
                                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                            ),
                        }
                    }
                });
            }
        });
        Self { port, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// Where each request for the path began.
    pub fn starts(&self, path: &str) -> Vec<usize> {
        let requests = self.requests.lock().expect("no panic");
        requests
            .iter()
            .filter(|request| request.path == path)
            .map(|request| request.start.unwrap_or(0))
            .collect()
    }

    pub fn paths(&self) -> Vec<String> {
        self.requests
            .lock()
            .expect("no panic")
            .iter()
            .map(|request| request.path.clone())
            .collect()
    }
}

fn read(stream: &TcpStream, log: &Mutex<Vec<Request>>) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut start = None;
    for line in lines {
        let line = line.ok()?.to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().ok();
        }
    }
    let mut log = log.lock().expect("no panic");
    let earlier = log.iter().filter(|request| request.path == path).count();
    let request = Request {
        path,
        start,
        earlier,
    };
    log.push(request.clone());
    Some(request)
}

/// The client may be gone: often that is the point.
pub fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// A right answer for the file from `start` on, cut after `most` bytes of its body.
pub fn partial(stream: &mut TcpStream, body: &[u8], start: usize, most: usize) {
    let total = body.len();
    let rest = body.get(start..).unwrap_or_default();
    let status = if start == 0 {
        "200 OK".to_owned()
    } else {
        "206 Partial Content".to_owned()
    };
    let range = format!(
        "Content-Range: bytes {start}-{}/{total}",
        total.saturating_sub(1)
    );
    let range = if start == 0 {
        String::new()
    } else {
        range + "\r\n"
    };
    send(
        stream,
        format!(
            "HTTP/1.1 {status}\r\n{range}Content-Length: {}\r\n\r\n",
            rest.len()
        )
        .as_bytes(),
    );
    send(stream, &rest[..rest.len().min(most)]);
}
