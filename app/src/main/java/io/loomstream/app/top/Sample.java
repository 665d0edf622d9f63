package io.loomstream.app.top;

import java.util.List;

/**
 * What the server said at one moment.
 *
 * @param nanos the client's monotonic clock
 * @param hot a page of the hot databases, the most recently written first
 * @param events the newest last
 */
public record Sample(long nanos, JsonTree tiers, JsonTree stats, JsonTree gates, JsonTree hot, List<Event> events) {
    public Sample {
        events = List.copyOf(events);
    }

    double copies() {
        return stats.get("replicated").get("copies").number();
    }

    double lagSeconds() {
        return stats.get("replicated").get("lagSeconds").number();
    }

    double requests() {
        return stats.get("s3").get("requests").fields().values().stream()
                .mapToDouble(JsonTree::number)
                .sum();
    }

    double upSeconds() {
        return stats.get("uptimeSeconds").number();
    }
}
