//! nginx, as boot servers run it, for one test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::external;

pub struct Nginx {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Nginx {
    /// Serves `web` inside `folder`, until it is dropped. None where nginx is not installed.
    pub fn start(folder: &Path, web: &str) -> Option<Self> {
        let program = external("nginx", "nginx-light")?;
        let folder = folder.join(format!("nginx-{web}"));
        fs::create_dir(&folder).expect("a folder");
        // Another test may take the port before nginx has it: then a new one.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0")
                .and_then(|free| free.local_addr())
                .expect("a port")
                .port();
            fs::write(folder.join("conf"), configuration(&folder, web, port)).expect("written");
            let mut command = Command::new(&program);
            command
                .arg("-e")
                .arg(folder.join("error.log"))
                .arg("-p")
                .arg(&folder)
                .arg("-c")
                .arg(folder.join("conf"));
            let child = command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("nginx");
            let mut nginx = Self {
                child,
                port,
                folder: folder.clone(),
            };
            if nginx.answers() {
                return Some(nginx);
            }
        }
        panic!(
            "nginx does not start: {:?}",
            fs::read_to_string(folder.join("error.log"))
        );
    }

    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// The requests so far: `GET /image 206 bytes=0-`.
    pub fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("access.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, web: &str, port: u16) -> String {
    let root = folder.with_file_name(web);
    let (folder, root) = (folder.display(), root.display());
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    log_format requests '$request_method $request_uri $status $http_range';
    access_log {folder}/access.log requests;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"
    )
}
