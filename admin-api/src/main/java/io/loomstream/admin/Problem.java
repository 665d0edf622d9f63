package io.loomstream.admin;

import io.javalin.http.Context;
import java.io.Serial;
import java.util.Map;

/** A request that is answered with an error, in the form of RFC 9457. */
final class Problem extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1;

    static final String CONTENT_TYPE = "application/problem+json";

    private static final Map<Integer, String> TITLES = Map.ofEntries(
            Map.entry(400, "Bad request"),
            Map.entry(401, "Unauthorized"),
            Map.entry(403, "Forbidden"),
            Map.entry(404, "Not found"),
            Map.entry(405, "Method not allowed"),
            Map.entry(408, "Request timeout"),
            Map.entry(409, "Conflict"),
            Map.entry(413, "Content too large"),
            Map.entry(414, "URI too long"),
            Map.entry(421, "Misdirected request"),
            Map.entry(431, "Header fields too large"),
            Map.entry(500, "Internal error"),
            Map.entry(502, "Bad gateway"),
            Map.entry(503, "Unavailable"));

    private final int status;

    Problem(int status, String detail) {
        super(detail, null, false, false); // made for whoever asked; the log is not told
        this.status = status;
    }

    int status() {
        return status;
    }

    static Problem badRequest(String detail) {
        return new Problem(400, detail);
    }

    /** The body of an answer with an error. */
    static String body(int status, String detail) {
        return JsonText.of(json -> {
            json.writeStartObject();
            json.writeStringField("type", "about:blank");
            json.writeStringField("title", TITLES.getOrDefault(status, "Error"));
            json.writeNumberField("status", status);
            json.writeStringField("detail", detail);
            json.writeEndObject();
        });
    }

    static void write(Context context, int status, String detail) {
        context.status(status).contentType(CONTENT_TYPE).result(body(status, detail));
    }
}
