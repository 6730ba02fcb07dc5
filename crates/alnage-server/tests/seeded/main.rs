//! Tests over a server whose registry has what an ordinary organisation might have: the console in a browser, and the
//! API by its own description.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod console;
mod contract;
mod seed;

use std::{net::TcpListener, path::Path, thread};

use alnage_registry::people::Secret;

/// A server over the records below a directory.
struct Server {
    /// `http://127.0.0.1:PORT`.
    address: String,
    /// The token of an administrator.
    admin: Secret,
    /// The token of somebody who may only look at one project.
    viewer: Secret,
}

fn serve(folder: &Path) -> Server {
    let registry = seed::registry(folder);
    let (admin, viewer) = seed::tokens(&registry);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let settings = alnage_server::Settings { public_url: address.clone(), ..Default::default() };
    thread::spawn(move || alnage_server::serve(listener, registry, settings, seed::now));
    Server { address, admin, viewer }
}
