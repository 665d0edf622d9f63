package io.loomstream.admin;

import io.javalin.http.Context;

/** Writes answers. */
final class Answers {
    private Answers() {}

    static void json(Context context, JsonText.Body body) {
        context.contentType("application/json").result(JsonText.utf8(body));
    }
}
