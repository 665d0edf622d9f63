package io.loomstream.admin;

import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;

/** The files of the page: they hold no data, so they need no token; the page asks for it. */
final class Assets {
    /** Nothing but the page's own files runs, and nothing is fetched from elsewhere. */
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
            + " img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final String HTML = "text/html; charset=utf-8";
    private static final String SCRIPT = "text/javascript; charset=utf-8";

    private record File(String name, String type) {}

    private static final Map<String, File> FILES = Map.of(
            "/", new File("page.html", HTML),
            "/page.js", new File("page.js", SCRIPT),
            "/page.css", new File("page.css", "text/css; charset=utf-8"),
            "/icon.svg", new File("icon.svg", "image/svg+xml"),
            "/docs", new File("docs.html", HTML),
            "/docs.js", new File("docs.js", SCRIPT),
            "/openapi.json", new File("openapi.json", "application/json"));

    private Assets() {}

    static Iterable<String> paths() {
        return FILES.keySet();
    }

    static boolean holds(String path) {
        return FILES.containsKey(path);
    }

    static void serve(Context context) throws IOException {
        File file = FILES.get(context.path());
        if (file == null) {
            throw new Problem(404, "there is nothing here");
        }
        try (InputStream in = Assets.class.getResourceAsStream("web/" + file.name())) {
            if (in == null) {
                throw new IOException("the program's own file " + file.name() + " is missing");
            }
            context.header("Content-Security-Policy", POLICY)
                    .header("Cache-Control", "no-cache")
                    .contentType(file.type())
                    .result(in.readAllBytes());
        }
    }
}
