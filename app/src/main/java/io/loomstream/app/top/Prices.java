package io.loomstream.app.top;

import java.util.Map;

/** USD for one thousand requests in S3 Standard, us-east-1: PUT, POST, LIST; GET and all others; DELETE is free. */
final class Prices {
    private static final double WRITE = 0.005;
    private static final double READ = 0.0004;
    private static final Map<String, Double> PER_THOUSAND = Map.of(
            "put", WRITE,
            "list", WRITE,
            "create_multipart", WRITE,
            "upload_part", WRITE,
            "complete_multipart", WRITE,
            "get", READ,
            "head", READ);
    /** A server's first minute says little about its day. */
    private static final double SECONDS_MIN = 60;

    private Prices() {}

    /** What a day costs at the rate since the start, storage and traffic not included. */
    static double usdADay(JsonTree requests, double upSeconds) {
        double usd = requests.fields().entrySet().stream()
                .mapToDouble(kind -> PER_THOUSAND.getOrDefault(kind.getKey(), 0.0)
                        * kind.getValue().number()
                        / 1_000)
                .sum();
        return usd * 86_400 / Math.max(SECONDS_MIN, upSeconds);
    }
}
