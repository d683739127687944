//! Calls sts get-caller-identity as many times as its second argument says, at the endpoint that its first
//! one names, with the credentials the SDK finds by itself; prints the ARN of each.

use aws_config::BehaviorVersion;
use aws_smithy_http_client::Builder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let calls: usize = arguments[2].parse()?;
    let settings = aws_config::defaults(BehaviorVersion::latest())
        // Everything here is on loopback: without TLS it builds in a fraction of the time.
        .http_client(Builder::new().build_http())
        .endpoint_url(&arguments[1])
        .load()
        .await;
    let client = aws_sdk_sts::Client::new(&settings);
    for _ in 0..calls {
        let reply = client.get_caller_identity().send().await?;
        println!("{}", reply.arn().unwrap_or_default());
    }
    Ok(())
}
