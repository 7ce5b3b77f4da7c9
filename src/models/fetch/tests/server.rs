//! A web server that does what a test tells it, request by request.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::*;

/// The server's answer to one request. With a body it knows ranges, unless it says otherwise.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Serve,
    /// As if it knew no ranges.
    Whole,
    /// Without saying how long it is.
    Unsized,
    /// Ends after this many bytes of the body.
    Cut(usize),
    /// Falls silent after this many bytes of the body.
    Stall(usize),
    /// A tenth at a time, with a pause after each.
    Drip(Duration),
    /// Every byte is another one.
    Tampered,
    /// More than there is, without a length.
    Endless,
    /// A range that starts so many bytes later than asked for.
    Shifted(u64),
    /// A range of a file that is one byte longer.
    OfAnother,
    /// A status, with further headers.
    Status(u16, &'static str),
    Redirect(String),
    /// Closes the connection at once.
    HangUp,
    /// Exactly these bytes.
    Raw(Vec<u8>),
    /// Header lines for ever, one after each pause.
    Headers(Duration),
}

/// The step of each request in turn; the last one is for all that come after.
#[derive(Clone)]
struct Script {
    content: Vec<u8>,
    steps: Vec<Step>,
    seen: Arc<Mutex<Vec<String>>>,
}

pub(super) struct Server {
    pub(super) address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Gives the same bytes to every request.
    pub(super) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::playing(b"", [Step::Raw(answer.into())])
    }

    pub(super) fn playing(content: &[u8], steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::default();
        let script = Script { content: content.to_vec(), steps: steps.into_iter().collect(), seen: Arc::clone(&seen) };
        // It ends with the process: nothing tells it that no request will come any more.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let script = script.clone();
                thread::spawn(move || script.answer(stream));
            }
        });
        Self { address, seen }
    }

    /// The requests so far, as they came.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the start of the body that each request wanted; none where it wanted all.
    pub(super) fn ranges(&self) -> Vec<Option<usize>> {
        self.requests().iter().map(|request| range(request)).collect()
    }

    /// Options with this server as the mirror, and with little patience.
    pub(super) fn options(&self) -> PullOptions {
        PullOptions { mirror: Some(self.address.clone()), ..impatient() }
    }
}

impl Script {
    fn answer(&self, mut stream: TcpStream) {
        let request = read_request(&mut stream);
        let start = range(&request);
        let step = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(request);
            self.steps[(seen.len() - 1).min(self.steps.len() - 1)].clone()
        };
        // The test at the other end sees a failure.
        let _ = self.play(&step, start, &mut stream);
    }

    fn play(&self, step: &Step, start: Option<usize>, stream: &mut TcpStream) -> std::io::Result<()> {
        let (head, body) = match step {
            Step::Whole | Step::Unsized | Step::Endless => self.served(None),
            Step::Shifted(by) => self.ranged(start, *by, 0),
            Step::OfAnother => self.ranged(start, 0, 1),
            _ => self.served(start),
        };
        match step {
            Step::Serve | Step::Whole | Step::Shifted(_) | Step::OfAnother => {
                stream.write_all(head.as_bytes())?;
                stream.write_all(&body)
            }
            Step::Unsized => stream.write_all(&[UNSIZED_HEAD.as_bytes(), &body].concat()),
            Step::Cut(count) | Step::Stall(count) => {
                stream.write_all(head.as_bytes())?;
                stream.write_all(&body[..body.len().min(*count)])?;
                if matches!(step, Step::Stall(_)) { wait_for_close(stream) } else { Ok(()) }
            }
            Step::Drip(pause) => {
                stream.write_all(head.as_bytes())?;
                for chunk in body.chunks(body.len() / 10 + 1) {
                    stream.write_all(chunk)?;
                    thread::sleep(*pause);
                }
                Ok(())
            }
            Step::Tampered => {
                stream.write_all(head.as_bytes())?;
                stream.write_all(&body.iter().map(|byte| byte ^ 1).collect::<Vec<_>>())
            }
            Step::Status(status, headers) => {
                let head = format!("HTTP/1.1 {status} Such\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(head.as_bytes())
            }
            Step::Redirect(to) => stream.write_all(redirect(to).as_bytes()),
            Step::HangUp => Ok(()),
            Step::Raw(bytes) => stream.write_all(bytes),
            Step::Endless => again_and_again(UNSIZED_HEAD, &[&body[..], b"x"].concat(), Duration::ZERO, stream),
            Step::Headers(pause) => {
                let line = format!("X-More: {}\r\n", "more".repeat(50));
                again_and_again("HTTP/1.1 200 OK\r\n", line.as_bytes(), *pause, stream)
            }
        }
    }

    fn served(&self, start: Option<usize>) -> (String, Vec<u8>) {
        match start {
            None => (head("200 OK", self.content.len(), ""), self.content.clone()),
            Some(start) if start >= self.content.len() => {
                let range = format!("Content-Range: bytes */{}\r\n", self.content.len());
                (head("416 Range Not Satisfiable", 0, &range), Vec::new())
            }
            start => self.ranged(start, 0, 0),
        }
    }

    fn ranged(&self, start: Option<usize>, shift: u64, longer: usize) -> (String, Vec<u8>) {
        let Some(start) = start.filter(|start| *start < self.content.len()) else { return self.served(start) };
        let body = self.content[start..].to_vec();
        let (first, last) = (start as u64 + shift, self.content.len() as u64 - 1 + shift);
        let range = format!("Content-Range: bytes {first}-{last}/{}\r\n", self.content.len() + longer);
        (head("206 Partial Content", body.len(), &range), body)
    }
}

const UNSIZED_HEAD: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

fn head(status: &str, length: usize, further: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{further}Connection: close\r\n\r\n")
}

pub(super) fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

pub(super) fn ok(body: &str) -> String {
    format!("{}{body}", head("200 OK", body.len(), ""))
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        request.push(byte[0]);
    }
    String::from_utf8_lossy(&request).into_owned()
}

fn range(request: &str) -> Option<usize> {
    let lower = request.to_ascii_lowercase();
    let (_, rest) = lower.split_once("\r\nrange: bytes=")?;
    rest.split_once("-\r\n")?.0.parse().ok()
}

/// Writes until the other end has had enough.
fn again_and_again(head: &str, bytes: &[u8], pause: Duration, stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(head.as_bytes())?;
    loop {
        stream.write_all(bytes)?;
        thread::sleep(pause);
    }
}

/// Says nothing until the other end has had enough.
fn wait_for_close(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let _ = stream.read(&mut [0]);
    Ok(())
}
