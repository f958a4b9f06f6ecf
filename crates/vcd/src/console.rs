//! The console of a machine, and what it waits to be told (XML family).

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    client::{Body, Client, Family},
    error::{Error, Result},
    ids::VmId,
    xml::{self, Find, Writer},
};

/// The way to a machine's console. Good once, and soon.
#[derive(Clone, Debug)]
pub struct ConsoleTicket {
    /// Host of the console proxy.
    pub host: String,
    /// The port to name to it.
    pub port: u16,
    /// The machine's file.
    pub vmx: String,
    /// Lets whoever has it in.
    pub ticket: SecretString,
}

impl ConsoleTicket {
    /// Where the console is opened: a WebSocket that carries RFB in binary frames, `wss://{host}/{port};{ticket}`
    /// **\[inf\]**. Whoever has the address is let in.
    pub fn address(&self, secure: bool) -> SecretString {
        let scheme = if secure { "wss" } else { "ws" };
        format!("{scheme}://{}/{};{}", self.host, self.port, self.ticket.expose_secret()).into()
    }
}

/// A question that a machine waits on, for example whether to eject a medium that its guest has locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Names it in the answer.
    pub id: String,
    /// For people.
    pub text: String,
    /// What can be answered, by id.
    pub choices: Vec<(u32, String)>,
}

const ANSWER: &str = "application/vnd.vmware.vcloud.vmPendingAnswer+xml";

impl Client {
    /// A ticket for the console of a machine that is on.
    pub async fn vm_console_ticket(&self, id: VmId) -> Result<ConsoleTicket> {
        let path = format!("/api/vApp/vm-{}/screen/action/acquireMksTicket", id.uuid());
        let answer = self.send(Method::POST, Family::Xml, &path, None).await?;
        let doc = xml::parse(&answer.body)?;
        let root = doc.root_element();
        let text = |name: &'static str| {
            root.text_of(name).ok_or_else(|| Error::protocol(format!("the ticket has no {name}")))
        };
        Ok(ConsoleTicket {
            host: text("Host")?.to_owned(),
            port: text("Port")?.trim().parse().map_err(|_| Error::protocol("the port is no number"))?,
            vmx: text("Vmx")?.to_owned(),
            ticket: text("Ticket")?.to_owned().into(),
        })
    }

    /// What a machine waits to be told; the service answers 403 where it waits for nothing **\[src\]**.
    pub async fn vm_question(&self, id: VmId) -> Result<Option<Question>> {
        let answer = match self.get(Family::Xml, &format!("/api/vApp/vm-{}/question", id.uuid())).await {
            Err(e) if e.is_not_found() => return Ok(None),
            other => other?,
        };
        let doc = xml::parse(&answer.body)?;
        let root = doc.root_element();
        let choice = |c: roxmltree::Node<'_, '_>| {
            let id = c.number_of("Id").and_then(|n| u32::try_from(n).ok());
            let id = id.ok_or_else(|| Error::protocol("a choice has no id"))?;
            Ok((id, c.text_of("Text").unwrap_or_default().to_owned()))
        };
        let id = root.text_of("QuestionId").ok_or_else(|| Error::protocol("the question has no id"))?;
        Ok(Some(Question {
            id: id.to_owned(),
            text: root.text_of("Question").unwrap_or_default().to_owned(),
            choices: root.children_named("Choices").map(choice).collect::<Result<_>>()?,
        }))
    }

    /// Answers a machine's question.
    pub async fn vm_answer(&self, id: VmId, question: &Question, choice: u32) -> Result<()> {
        let content = Writer::root("VmQuestionAnswer", &[], |w| {
            w.leaf("ChoiceId", choice);
            w.leaf("QuestionId", &question.id);
        });
        let path = format!("/api/vApp/vm-{}/question/action/answer", id.uuid());
        self.send(Method::POST, Family::Xml, &path, Some(Body { media: ANSWER, content })).await.map(drop)
    }
}
