//! No secret reaches a log, an error or a debug text.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use crate::canned::{Canned, U, ok, status};
use tracing_subscriber::fmt::MakeWriter;
use vcd::{Client, Credentials, GuestCustomization};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn everything_is_logged_but_secrets() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .init();
    let vm = U.parse().unwrap();
    let task = format!("<Task href=\"https://h/api/task/{U}\"/>");
    let mut shown = String::new();
    for answer in [ok(&task), status("400 Bad Request", "<Error message=\"no\"/>"), ok("<"), Vec::new()] {
        let server = Canned::with(answer).await;
        let client = server.client();
        let section = GuestCustomization {
            admin_password: Some("hunter2-admin".to_owned().into()),
            script: Some("hunter2-script".to_owned().into()),
            ..GuestCustomization::default()
        };
        shown += &format!("{section:?} {client:?} {:?}", client.vm_customize(vm, &section).await);
    }
    // What a service hands back must not come out of an error either.
    let echo = Canned::with(ok("{\"access_token\": 7, \"hunter2-granted\": \"hunter2-granted\"}")).await;
    let mut config = echo.config();
    config.credentials = Credentials::api_token("o", "hunter2-refresh".to_owned().into());
    let client = Client::new(config).unwrap();
    shown += &format!("{client:?} {:?}", client.vdcs().await);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("vcd{method=PUT route=\"/api/vApp/vm-{id}/guestCustomizationSection/\""), "{log}");
    for text in [&log, &shown] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
