package io.loomstream.app.config;

import io.loomstream.engine.replica.s3.S3Location;
import io.loomstream.engine.replica.s3.S3Provider;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An {@code s3} URL: {@code s3://BUCKET/PATH?name=value}, with what {@link S3Host} says about the host, or an access point's
 * ARN in the bucket's place. Path and query are percent-decoded. Parameters may be written in camel case or with hyphens.
 *
 * @param values what the URL says, by the names of the keys in YAML; none is empty
 * @param warnings what in it counts for nothing
 */
record S3Url(String bucket, String path, Map<String, String> values, List<String> warnings) {
    /** What precedes the key of an object; the access point's name is the last part. */
    private static final Pattern ARN = Pattern.compile(
            "(?i:(arn):([^:/]+):([^:/]+):([^:/]*):([^:/]*):((?:outpost/[^/]+/)?accesspoint))([/:][^/]+)(/.*)?");

    private static final Set<String> BOOLEANS =
            Set.of(S3Host.PATH_STYLE, "skip-verify", "sign-payload", "require-content-md5");
    private static final Set<String> NUMBERS = Set.of("part-size", "concurrency");
    private static final Set<String> TEXTS = Set.of(
            S3Host.REGION,
            "storage-class",
            "sse-customer-algorithm",
            "sse-customer-key",
            S3Keys.CUSTOMER_KEY_MD5,
            "sse-kms-key-id");

    S3Url {
        values = Map.copyOf(values);
        warnings = List.copyOf(warnings);
    }

    /**
     * Reads a URL whose scheme is {@code s3}.
     *
     * @throws IllegalArgumentException with a message that holds nothing secret
     */
    static S3Url parse(String url) {
        String rest = url.substring(url.indexOf("://") + 3);
        if (rest.contains("#")) {
            throw new IllegalArgumentException("an s3 URL takes no fragment; in a path write %23 for #");
        }
        int question = rest.indexOf('?');
        String place = question < 0 ? rest : rest.substring(0, question);
        Map<String, String> values = new LinkedHashMap<>();
        List<String> warnings = new ArrayList<>();
        Place parsed = place.regionMatches(true, 0, "arn:", 0, 4) ? accessPoint(place, values) : place(place, values);
        Map<String, String> asked = question < 0 ? Map.of() : query(rest.substring(question + 1), warnings);
        if (asked.containsKey(S3Host.ENDPOINT)) {
            // What the host said about it was about the host's own endpoint.
            values.remove(S3Host.PATH_STYLE);
        }
        values.putAll(asked);
        // Of a URL, other than of YAML, Litestream cleans the path.
        String path = new S3Location(parsed.bucket(), parsed.path()).path();
        return new S3Url(parsed.bucket(), path, values, warnings);
    }

    private record Place(String bucket, String path) {}

    private static Place accessPoint(String place, Map<String, String> values) {
        Matcher arn = ARN.matcher(place);
        if (!arn.matches()) {
            throw new IllegalArgumentException("the ARN in the URL is not one of an access point:"
                    + " arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME");
        }
        if (!arn.group(4).isEmpty()) {
            values.put(S3Host.REGION, arn.group(4));
        }
        int nameEnd = arn.end(7);
        return new Place("arn" + place.substring(3, nameEnd), decoded(place.substring(nameEnd)));
    }

    private static Place place(String place, Map<String, String> values) {
        int slash = place.indexOf('/');
        String authority = slash < 0 ? place : place.substring(0, slash);
        String path = slash < 0 ? "" : decoded(place.substring(slash + 1));
        if (authority.contains("@")) {
            throw new IllegalArgumentException("the URL holds a user name; credentials belong into"
                    + " access-key-id and secret-access-key, or into the environment");
        }
        S3Host host = S3Host.parse(authority);
        values.putAll(host.values());
        if (!host.bucket().isEmpty()) {
            return new Place(host.bucket(), path);
        }
        String[] elements = path.replaceFirst("^/+", "").split("/", 2);
        if (elements[0].isEmpty()) {
            throw new IllegalArgumentException(
                    "the URL names a store and no bucket, write s3://" + authority + "/BUCKET/PATH");
        }
        return new Place(elements[0], elements.length < 2 ? "" : elements[1]);
    }

    private static Map<String, String> query(String query, List<String> warnings) {
        Map<String, String> asked = new LinkedHashMap<>();
        for (String pair : query.split("&", -1)) {
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            String name = formDecoded(equals < 0 ? pair : pair.substring(0, equals));
            String value = equals < 0 ? "" : formDecoded(pair.substring(equals + 1));
            String key = hyphenated(name);
            if (!key.equals(S3Host.ENDPOINT)
                    && !BOOLEANS.contains(key)
                    && !NUMBERS.contains(key)
                    && !TEXTS.contains(key)) {
                warnings.add("unknown query parameter \"" + name + "\"");
            } else if (!value.isEmpty()) {
                asked.put(key, value(key, name, value));
            }
        }
        return asked;
    }

    /** {@code sseCustomerKeyMD5} is {@code sse-customer-key-md5}. */
    private static String hyphenated(String name) {
        return name.replaceAll("(?<=[a-z])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }

    private static String value(String key, String name, String value) {
        if (key.equals(S3Host.ENDPOINT)) {
            return S3Provider.withScheme(value);
        }
        if (BOOLEANS.contains(key)) {
            return switch (value.toLowerCase(Locale.ROOT)) {
                case "true", "1", "t", "yes" -> "true";
                case "false", "0", "f", "no" -> "false";
                default -> throw invalid(name, value, "must be true or false");
            };
        }
        if (key.equals("sse-customer-key")) {
            // Base64 has no spaces, but plus signs that nobody escaped.
            return value.replace(' ', '+');
        }
        if (NUMBERS.contains(key) && !value.matches("0*[1-9][0-9]{0,17}")) {
            throw invalid(name, value, "must be a positive integer");
        }
        return value;
    }

    private static IllegalArgumentException invalid(String name, String value, String wanted) {
        return new IllegalArgumentException(
                "invalid value for query parameter \"" + name + "\": \"" + value + "\" (" + wanted + ")");
    }

    /** A plus sign in a path is a plus sign. */
    private static String decoded(String path) {
        return formDecoded(path.replace("+", "%2B"));
    }

    private static String formDecoded(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("a bad percent escape in the URL; write %25 for %", e);
        }
    }
}
