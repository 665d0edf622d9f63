package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.testing.s3.S3Server;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;

/** Clients as the tests want them. */
final class S3Setup {
    static final S3Owner OWNER = new S3Owner("test", "host", 42);

    /** Retries at once: what they wait for is tested elsewhere. */
    static final S3Timing HASTY =
            new S3Timing(Duration.ofSeconds(2), Duration.ofSeconds(20), 8, Duration.ZERO, Duration.ZERO);

    private S3Setup() {}

    static S3SettingsBuilder settings(URI endpoint) {
        return S3Settings.builder()
                .bucket(S3Server.BUCKET)
                .path("tenant/app")
                .endpoint(endpoint.toString())
                .credentials(new S3Credentials.Keys(
                        S3Server.ACCESS_KEY_ID, new Secret(S3Server.SECRET_ACCESS_KEY), Optional.empty()));
    }

    static S3Endpoints endpoints() {
        return endpoints(HASTY, Time.system());
    }

    static S3Endpoints endpoints(S3Timing timing, Time time) {
        return endpoints(OWNER, timing, time);
    }

    static S3Endpoints endpoints(S3Owner owner, S3Timing timing, Time time) {
        return new S3Endpoints(new Gate("s3", 200), owner, time, new Random(), timing);
    }
}
