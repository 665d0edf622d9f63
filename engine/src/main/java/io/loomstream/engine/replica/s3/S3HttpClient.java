package io.loomstream.engine.replica.s3;

/** What carries the requests. The reasons for the default are in docs/decisions. */
public enum S3HttpClient {
    /** The JDK's own {@code HttpURLConnection}: smallest, the default. */
    URL_CONNECTION("url-connection"),
    /** Apache HttpClient 5. */
    APACHE5("apache5");

    private final String text;

    S3HttpClient(String text) {
        this.text = text;
    }

    /** The client that configuration names. */
    public static S3HttpClient parse(String text) {
        for (S3HttpClient client : values()) {
            if (client.text.equals(text)) {
                return client;
            }
        }
        throw new IllegalArgumentException("http-client is url-connection or apache5, not " + text);
    }

    @Override
    public String toString() {
        return text;
    }
}
