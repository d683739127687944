import java.net.URI;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * Calls sts get-caller-identity as many times as its second argument says, at the endpoint that its first
 * one names, with the credentials the SDK finds by itself; prints the ARN of each.
 */
public final class CallerIdentity {
  public static void main(String[] arguments) {
    int calls = Integer.parseInt(arguments[1]);
    try (StsClient sts =
        StsClient.builder()
            .endpointOverride(URI.create(arguments[0]))
            .httpClient(UrlConnectionHttpClient.create())
            .build()) {
      for (int call = 0; call < calls; call++) {
        System.out.println(sts.getCallerIdentity().arn());
      }
    }
  }
}
