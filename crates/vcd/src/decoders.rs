//! Every decoder at once, for whoever wants to throw documents at them: the fuzz targets and the mutation tests.
//!
//! Not part of the crate's promise: hidden from the documentation, and free to change.

use crate::{
    answer::{error_in, task_in},
    client::Family,
    customization::read_customization,
    edges::Edge,
    networks::page_from_json,
    nics::read_nics,
    orgs::read_vdc,
    query::read_page,
    reconfigure::{DiskEdit, Reconfigure, write},
    session::newest_common,
    task::{read_task, running_tasks},
    templates::read_template,
    vapp_networks::read_networks,
    vapps::read_vapp,
    vms::read_vm,
    xml::{self, Writer},
};

/// Reads a document as everything that it could be, and writes what would be written of it.
pub fn xml(body: &str) {
    let _ = (newest_common(body), read_page(body), task_in(body), error_in(Family::Xml, body));
    let Ok(doc) = xml::parse(body) else { return };
    let root = doc.root_element();
    for node in root.descendants().filter(roxmltree::Node::is_element).take(200) {
        let _ = (read_vapp(node), read_vm(node), read_task(node), running_tasks(node), read_networks(node));
        let _ = (read_nics(node), read_vdc(node), read_template(node), read_customization(node));
        let disks = DiskEdit::new().grow(2000, 1).add(1, 0, 1, 5);
        let _ = write(node, &Reconfigure { cpus: Some(2), disks, ..Reconfigure::default() });
    }
    // What is copied is a document again.
    let copied = Writer::root("copy", &[], |w| w.copy(root));
    assert!(roxmltree::Document::parse(&copied).is_ok(), "{copied}");
}

/// Reads an answer of the JSON family as everything that it could be.
pub fn json(body: &str) {
    let _ = (Edge::page_from_json(body), page_from_json(body), error_in(Family::Json, body));
}
