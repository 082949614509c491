//! Files of a boot server, over HTTP. The address is a number: an initrd has no resolver.

use std::io::{self, ErrorKind, Read};

use ureq::http::{HeaderMap, Response, StatusCode, Uri, header};
use ureq::{Agent, Body, BodyReader, Error, Timeout};

use crate::fault::Fault;
use crate::waits::Waits;

/// Bytes of a report. A server's line for request and address holds 8 KiB at least.
const LONGEST_REPORT: usize = 1000;

#[derive(Clone)]
pub struct Http {
    agent: Agent,
    waits: Waits,
}

impl Http {
    pub fn new(waits: &Waits) -> Self {
        let config = Agent::config_builder()
            // Nothing around the program may send it elsewhere: no variable, no redirect.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // Each request stands alone: none fails for an older one's connection.
            .max_idle_connections(0)
            .timeout_connect(Some(waits.connect))
            .timeout_per_read(Some(waits.stall))
            .timeout_per_write(Some(waits.stall))
            .timeout_recv_response(Some(waits.small))
            .user_agent(concat!("kubefarm-fetch/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            waits: waits.clone(),
        }
    }

    /// A whole file of at most `limit` bytes.
    pub fn small(&self, url: &str, limit: u64) -> Result<Vec<u8>, Fault> {
        let request = self
            .agent
            .get(url)
            .config()
            .timeout_per_call(Some(self.waits.small))
            .build();
        let response = request.call().map_err(|error| self.fault(error))?;
        if response.status() != StatusCode::OK {
            return Err(unwanted(response.status()));
        }
        let mut bytes = Vec::new();
        let mut reader = response
            .into_body()
            .into_reader()
            .take(limit.saturating_add(1));
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| self.fault(error.into()))?;
        if bytes.len() as u64 > limit {
            return Err(Fault::TooLarge(limit));
        }
        Ok(bytes)
    }

    /// The file from byte `start` on, which is known to have `size` bytes.
    pub fn from(&self, url: &str, start: u64, size: u64) -> Result<Arriving<'_>, Fault> {
        let request = self
            .agent
            .get(url)
            .header(header::RANGE, format!("bytes={start}-"));
        let response = request.call().map_err(|error| self.fault(error))?;
        let has = check_range(&response, start)?;
        match has {
            Some(has) if has < size => Err(Fault::Short { has, signed: size }),
            _ => Ok(Arriving {
                http: self,
                reader: response.into_body().into_reader(),
            }),
        }
    }

    /// Tells the server something, for its access log. Any answer will do: it has been written down.
    pub fn report(&self, url: &str, text: &str) -> Result<(), Fault> {
        let text: String = text.chars().take(LONGEST_REPORT).collect();
        self.ask(url, "said", &text)
    }

    /// Tells the server how much of the image there is.
    pub fn percent(&self, url: &str, percent: u64) -> Result<(), Fault> {
        self.ask(url, "percent", &percent.to_string())
    }

    fn ask(&self, url: &str, key: &str, value: &str) -> Result<(), Fault> {
        let request = self.agent.get(url).query(key, value);
        let request = request
            .config()
            .timeout_global(Some(self.waits.report))
            .build();
        request.call().map(drop).map_err(|error| self.fault(error))
    }

    fn fault(&self, error: Error) -> Fault {
        match error {
            Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                Fault::NoAnswer(self.waits.connect)
            }
            Error::Timeout(Timeout::PerCall | Timeout::RecvResponse) => {
                Fault::Slow(self.waits.small)
            }
            Error::Timeout(Timeout::Global) => Fault::NoAnswer(self.waits.report),
            Error::Timeout(_) => Fault::Stalled(self.waits.stall),
            Error::Io(error) => self.io_fault(&error),
            other => Fault::Other(one_line(&other.to_string())),
        }
    }

    fn io_fault(&self, error: &io::Error) -> Fault {
        match error.kind() {
            ErrorKind::ConnectionRefused => Fault::Refused,
            ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable => Fault::NoRoute(error.to_string()),
            ErrorKind::TimedOut => Fault::NoAnswer(self.waits.connect),
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => Fault::Cut,
            _ => Fault::Other(one_line(&error.to_string())),
        }
    }
}

/// A file as it arrives.
pub struct Arriving<'a> {
    http: &'a Http,
    reader: BodyReader<'static>,
}

impl Arriving<'_> {
    /// Some bytes; zero at the file's end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        self.reader
            .read(buffer)
            .map_err(|error| self.http.fault(error.into()))
    }
}

/// The size of the whole file, if the server says it; an error if what comes does not begin at `start`.
fn check_range(response: &Response<Body>, start: u64) -> Result<Option<u64>, Fault> {
    match response.status() {
        StatusCode::OK if start == 0 => Ok(response.body().content_length()),
        StatusCode::OK => Err(Fault::NoRange),
        StatusCode::PARTIAL_CONTENT => match content_range(response.headers()) {
            Some((begin, total)) if begin == start => Ok(total),
            _ => Err(Fault::NoRange),
        },
        // Nothing there: the file ends before.
        StatusCode::RANGE_NOT_SATISFIABLE => {
            Ok(Some(unsatisfied(response.headers()).unwrap_or(start)))
        }
        other => Err(unwanted(other)),
    }
}

fn unwanted(status: StatusCode) -> Fault {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Fault::Missing,
        other => Fault::Status(other.as_u16()),
    }
}

fn range_header(headers: &HeaderMap) -> Option<(&str, &str)> {
    headers
        .get(header::CONTENT_RANGE)?
        .to_str()
        .ok()?
        .strip_prefix("bytes ")?
        .split_once('/')
}

/// `bytes 10-99/100` (RFC 9110, 14.4): where it begins, and the size of the whole.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, total) = range_header(headers)?;
    let (begin, _) = range.split_once('-')?;
    Some((begin.parse().ok()?, total.parse().ok()))
}

/// `bytes */100`: the size of the whole.
fn unsatisfied(headers: &HeaderMap) -> Option<u64> {
    let (_, total) = range_header(headers)?;
    total.parse().ok()
}

fn one_line(text: &str) -> String {
    text.replace(|character: char| character.is_control(), " ")
}

/// Whether files can be fetched from there.
pub fn check_url(url: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("{}: {why}", one_line(url)));
    let Ok(uri) = url.parse::<Uri>() else {
        return wrong("this is not a URL");
    };
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return wrong("https is not in this program"),
        _ => return wrong("the URL has to begin with http://"),
    }
    let host = uri.host().unwrap_or_default();
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if bare.parse::<std::net::IpAddr>().is_err() {
        return wrong("the server has to be an IP address: an initrd has no resolver for names");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// A server whose answer begins so, and then comes in single bytes for a long time.
    fn dripping(start: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let _ = stream.write_all(start.as_bytes());
            for _ in 0..1000 {
                let _ = stream.write_all(b"x");
                thread::sleep(Duration::from_millis(10));
            }
        });
        url
    }

    #[test]
    fn a_small_file_has_a_deadline() {
        let small = Duration::from_millis(200);
        let http = Http::new(&Waits {
            small,
            ..Waits::default()
        });
        let fault = http
            .small(
                &dripping("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
                1 << 20,
            )
            .expect_err("no end");
        assert!(
            matches!(fault, Fault::Slow(time) if time == small),
            "{fault}"
        );
    }

    #[test]
    fn headers_have_a_deadline() {
        let small = Duration::from_millis(200);
        let http = Http::new(&Waits {
            small,
            ..Waits::default()
        });
        let fault = http
            .from(&dripping("HTTP/1.1 200 OK\r\nServer: "), 0, 1)
            .map(drop)
            .expect_err("no end");
        assert!(
            matches!(fault, Fault::Slow(time) if time == small),
            "{fault}"
        );
    }

    fn headers(range: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_RANGE, range.parse().expect("a header"));
        headers
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(
            content_range(&headers("bytes 10-99/100")),
            Some((10, Some(100)))
        );
        assert_eq!(content_range(&headers("bytes 10-99/*")), Some((10, None)));
        assert_eq!(unsatisfied(&headers("bytes */100")), Some(100));
        for wrong in [
            "",
            "bytes",
            "lines 1-2/3",
            "bytes 1/2",
            "bytes -2/3",
            "bytes 99999999999999999999-/3",
        ] {
            assert_eq!(content_range(&headers(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn urls_have_addresses() {
        for good in [
            "http://10.0.0.1/a",
            "http://10.0.0.1:8080/a?b",
            "http://[fd00::1]:80/",
        ] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for (wrong, why) in [
            ("", "not a URL"),
            ("boot/root.squashfs", "not a URL"),
            ("/root.squashfs", "begin with http://"),
            ("ftp://10.0.0.1/", "begin with http://"),
            ("https://10.0.0.1/", "https is not"),
            ("http://server/", "an IP address"),
            ("http:///a", ""),
            ("http://10.0.0.1/a b", "not a URL"),
            ("http://10.0.0.1/\u{1b}[2J", "not a URL"),
        ] {
            let said = check_url(wrong).expect_err(wrong);
            assert!(said.contains(why) && !said.contains('\u{1b}'), "{said}");
        }
    }
}
