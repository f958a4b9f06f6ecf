//! `slipway ansible`: what control panels are installed by. It touches no database.

use anyhow::Context;
use provisioning::ansible::Ansible;

use crate::{
    config::{AnsibleArgs, AnsibleWhat},
    say::say,
};

pub async fn run(args: AnsibleArgs) -> anyhow::Result<()> {
    match args.what {
        AnsibleWhat::Install => {
            let folder = args.data_dir.join("ansible");
            Ansible::install(&folder).await.with_context(|| folder.display().to_string())?;
            say(&format!("Ansible is in {}.", folder.display()));
            Ok(())
        }
    }
}
