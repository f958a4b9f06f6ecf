//! A client from the environment, and the VDC to work in.

use vcd::{Client, ClientConfig, Credentials, VdcId};

pub(crate) async fn client() -> Result<(Client, VdcId), Box<dyn std::error::Error>> {
    let var = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let credentials = Credentials::password(&var("VCD_USER")?, &var("VCD_ORG")?, var("VCD_PASSWORD")?.into());
    let client = Client::new(ClientConfig::new(&var("VCD_URL")?, credentials))?;
    let name = var("VCD_VDC")?;
    let vdc = client.vdc_by_name(&name).await?.ok_or_else(|| format!("there is no VDC {name:?}"))?;
    Ok((client, vdc))
}
