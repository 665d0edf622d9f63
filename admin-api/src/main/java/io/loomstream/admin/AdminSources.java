package io.loomstream.admin;

import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.replica.s3.S3Endpoints;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the server shows.
 *
 * @param control the running replication
 * @param s3 the S3 side, once it is used
 * @param configuration the effective configuration in sections, each by key, without secrets
 * @param version the program's
 */
public record AdminSources(
        FleetControl control,
        Supplier<Optional<S3Endpoints>> s3,
        List<Map<String, Object>> configuration,
        String version) {
    public AdminSources {
        configuration = List.copyOf(configuration);
    }
}
