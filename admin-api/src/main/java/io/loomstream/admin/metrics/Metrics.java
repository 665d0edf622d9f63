package io.loomstream.admin.metrics;

import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.replica.s3.S3Endpoints;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Supplier;

/** Everything that a scrape shows. Thread-safe. */
public final class Metrics {
    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final ExpositionFormatWriter text = PrometheusTextFormatWriter.create();
    private final ExpositionFormatWriter openMetrics = OpenMetricsTextFormatWriter.create();
    private final SharedScrape shared = new SharedScrape(System::nanoTime);

    /**
     * Sets it up; nothing is collected yet.
     *
     * @param perDatabase whether databases that the configuration names have series of their own, under Litestream's names
     * @param s3 the S3 side, once it is used
     */
    public Metrics(FleetControl control, boolean perDatabase, Supplier<Optional<S3Endpoints>> s3) {
        JvmMetrics.builder().register(registry);
        registry.register(new FleetMetrics(control, s3));
        if (perDatabase) {
            registry.register(new CompatibleMetrics(control, s3));
        }
    }

    /** A scrape's content type and bytes. */
    @SuppressWarnings("ArrayRecordComponent") // written once, then sent
    public record Scrape(String contentType, byte[] bytes) {}

    /**
     * Collects everything.
     *
     * @param accept the header of that name, empty when there is none
     */
    public Scrape scrape(String accept) throws IOException {
        return scrape(writer(accept));
    }

    /** As {@link #scrape}, at most a second old: for callers of whom there may be many at once. */
    public Scrape recentScrape(String accept) throws IOException {
        ExpositionFormatWriter writer = writer(accept);
        return shared.of(writer.getContentType(), () -> scrape(writer));
    }

    private ExpositionFormatWriter writer(String accept) {
        return openMetrics.accepts(accept) ? openMetrics : text;
    }

    private Scrape scrape(ExpositionFormatWriter writer) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 * 1024);
        writer.write(bytes, registry.scrape(), EscapingScheme.UNDERSCORE_ESCAPING);
        return new Scrape(writer.getContentType(), bytes.toByteArray());
    }
}
