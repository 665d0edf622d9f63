package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.MissingFileException;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.replica.SourceFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;

/** A replica in a bucket. It holds no connection and no thread of its own: those are the endpoint's. */
final class S3ReplicaClient implements ReplicaClient {
    private static final Logger log = LoggerFactory.getLogger(S3ReplicaClient.class);

    /** Files asked for their timestamps at once. */
    private static final int HEADS_AT_ONCE = 50;

    private final S3Settings settings;
    private final S3Bucket bucket;
    private final S3Keys keys;
    private final Encryption encryption;
    private final S3Writer writer;
    private final S3Deleter deleter;
    private volatile @Nullable List<String> roots;

    S3ReplicaClient(S3Settings settings, S3Bucket bucket, String probeName) {
        this.settings = settings;
        this.bucket = bucket;
        this.keys = new S3Keys(settings.location());
        this.encryption = new Encryption(settings.encryption());
        this.writer = new S3Writer(
                bucket,
                settings.transfer(),
                encryption,
                keys.own(probeName),
                settings.connection().provider() == S3Provider.AWS);
        this.deleter = new S3Deleter(bucket, settings.transfer().requireContentMd5());
    }

    @Override
    public String type() {
        return "s3";
    }

    @Override
    public String describe() {
        return settings.location().toString();
    }

    /** Work that ends in the endpoint's failures. */
    @FunctionalInterface
    private interface Work<T> {
        T run() throws S3Failure, IOException, InterruptedException;
    }

    private <T> T translated(String what, Work<T> work) {
        try {
            return work.run();
        } catch (S3Failure failure) {
            throw failure.toEngine(what);
        } catch (IOException e) {
            throw new TransientStorageException(what + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TransientStorageException(what + ": interrupted", e);
        }
    }

    @Override
    public List<ReplicaFile> list(Level level, Txid seek) {
        return translated(
                "cannot list level " + level + " of " + describe(),
                () -> found(level, seek).values().stream().map(Found::file).toList());
    }

    /** A file and the root it was found under. */
    private record Found(ReplicaFile file, String root) {}

    private Map<TxidRange, Found> found(Level level, Txid seek) throws S3Failure, InterruptedException {
        Map<TxidRange, Found> files = new TreeMap<>();
        for (String root : roots()) {
            String prefix = S3Keys.prefix(root, level);
            // Keys sort as TXIDs do, so the store can skip what is before the seek.
            String after = seek.isZero() ? null : prefix + seek;
            for (S3Object object : listed(prefix, after)) {
                Optional<TxidRange> range = S3Keys.parse(object.key(), prefix);
                if (range.isPresent() && range.get().min().compareTo(seek) >= 0) {
                    ReplicaFile file = new ReplicaFile(level, range.get(), object.size(), object.lastModified());
                    files.putIfAbsent(range.get(), new Found(file, root));
                }
            }
        }
        return files;
    }

    private List<S3Object> listed(String prefix, @Nullable String after) throws S3Failure, InterruptedException {
        List<S3Object> objects = new ArrayList<>();
        String token = null;
        do {
            ListObjectsV2Request request = ListObjectsV2Request.builder()
                    .bucket(bucket.name())
                    .prefix(prefix)
                    .startAfter(after)
                    .continuationToken(token)
                    .build();
            ListObjectsV2Response page =
                    bucket.endpoint().call(S3Operation.LIST, 0, (client, progress) -> client.listObjectsV2(request));
            objects.addAll(page.contents());
            token = Boolean.TRUE.equals(page.isTruncated()) ? page.nextContinuationToken() : null;
            if (Boolean.TRUE.equals(page.isTruncated()) && token == null) {
                // Ending here would hide files, and a position taken from such a listing would be used again.
                throw new S3Failure(
                        S3Failure.Kind.TRANSIENT, "BadListing", "a page says that more follow but not where", null);
            }
        } while (token != null);
        return objects;
    }

    @Override
    public List<ReplicaFile> listWithHeaderTimes(Level level, Txid seek) {
        return translated("cannot list level " + level + " of " + describe(), () -> {
            List<Found> files = List.copyOf(found(level, seek).values());
            ReplicaFile[] dated = new ReplicaFile[files.size()];
            AtomicInteger next = new AtomicInteger();
            try (TaskScope scope = TaskScope.open("heads")) {
                for (int fork = 0; fork < Math.min(HEADS_AT_ONCE, dated.length); fork++) {
                    scope.fork(() -> {
                        for (int at = next.getAndIncrement(); at < dated.length; at = next.getAndIncrement()) {
                            dated[at] = dated(files.get(at)).orElse(null);
                        }
                        return null;
                    });
                }
                scope.join();
            } catch (TaskScope.FailedException e) {
                throw S3Failure.of(e.getCause() == null ? e : e.getCause());
            }
            List<ReplicaFile> present = new ArrayList<>();
            for (ReplicaFile file : dated) {
                if (file != null) {
                    present.add(file);
                }
            }
            return List.copyOf(present);
        });
    }

    /** The file with its header's time; empty when it was deleted since it was listed. */
    private Optional<ReplicaFile> dated(Found found) throws S3Failure, IOException, InterruptedException {
        ReplicaFile file = found.file();
        String key = S3Keys.key(found.root(), file.level(), file.range());
        Optional<HeadObjectResponse> head = head(key);
        if (head.isEmpty()) {
            return Optional.empty();
        }
        String text = head.get().metadata().get(S3Writer.TIMESTAMP);
        Instant time = text == null ? headerTime(key, file) : parsed(text).orElseGet(file::createdAt);
        return Optional.of(new ReplicaFile(file.level(), file.range(), file.sizeBytes(), time));
    }

    /** Empty when there is no such object. */
    private Optional<HeadObjectResponse> head(String key) throws S3Failure, InterruptedException {
        HeadObjectRequest.Builder request =
                HeadObjectRequest.builder().bucket(bucket.name()).key(key);
        encryption.apply(request);
        try {
            return Optional.of(bucket.endpoint()
                    .call(S3Operation.HEAD, 0, (client, progress) -> client.headObject(request.build())));
        } catch (S3Failure failure) {
            if (failure.kind() == S3Failure.Kind.MISSING) {
                return Optional.empty();
            }
            throw failure;
        }
    }

    private Optional<HeadObjectResponse> head(Level level, TxidRange range) throws S3Failure, InterruptedException {
        for (String root : roots()) {
            Optional<HeadObjectResponse> head = head(S3Keys.key(root, level, range));
            if (head.isPresent()) {
                return head;
            }
        }
        return Optional.empty();
    }

    @Override
    public Optional<ReplicaFile> find(Level level, TxidRange range) {
        return translated(
                "cannot look for level " + level + " " + range.fileName() + " in " + describe(),
                () -> head(level, range)
                        .map(head -> new ReplicaFile(level, range, head.contentLength(), head.lastModified())));
    }

    @Override
    public Optional<String> writer(Level level, TxidRange range) {
        return translated(
                "cannot look for level " + level + " " + range.fileName() + " in " + describe(),
                () -> head(level, range).flatMap(head -> S3Writer.ownerOf(head.metadata())));
    }

    private static Optional<Instant> parsed(String text) {
        try {
            return Optional.of(Instant.parse(text));
        } catch (DateTimeException e) {
            log.debug("not a timestamp, the time of storing is taken: {}", text);
            return Optional.empty();
        }
    }

    /** Tools that copy buckets may drop metadata; the file itself still knows. */
    private Instant headerTime(String key, ReplicaFile file) throws S3Failure, IOException, InterruptedException {
        try (InputStream in = S3Body.open(bucket.endpoint(), get(key), key, 0)) {
            byte[] header = in.readNBytes(SourceFile.HEADER_BYTES);
            return header.length < SourceFile.HEADER_BYTES ? file.createdAt() : SourceFile.timestamp(header);
        }
    }

    private GetObjectRequest get(String key) {
        GetObjectRequest.Builder request =
                GetObjectRequest.builder().bucket(bucket.name()).key(key);
        encryption.apply(request);
        return request.build();
    }

    @Override
    public InputStream open(Level level, TxidRange range, long offset) throws IOException {
        String file = "level " + level + " " + range.fileName() + " of " + describe();
        Optional<InputStream> found =
                translated("cannot read " + file, () -> firstFound(level, range, "reading " + file, offset));
        return found.orElseThrow(() -> new MissingFileException(file));
    }

    private Optional<InputStream> firstFound(Level level, TxidRange range, String what, long offset)
            throws S3Failure, InterruptedException {
        for (String root : roots()) {
            try {
                return Optional.of(S3Body.open(bucket.endpoint(), get(S3Keys.key(root, level, range)), what, offset));
            } catch (S3Failure failure) {
                if (failure.kind() != S3Failure.Kind.MISSING) {
                    throw failure;
                }
            }
        }
        return Optional.empty();
    }

    @Override
    public ReplicaFile write(Level level, TxidRange range, Path source) {
        return translated("cannot store level " + level + " " + range.fileName() + " in " + describe(), () -> {
            SourceFile header = SourceFile.read(source, range);
            writer.write(S3Keys.key(roots().get(0), level, range), source, header);
            return new ReplicaFile(level, range, header.sizeBytes(), header.createdAt());
        });
    }

    /** What this replica's keys begin with; new files go to the first. */
    private List<String> roots() throws S3Failure, InterruptedException {
        List<String> known = roots;
        if (known == null) {
            known = keys.roots().size() == 1 ? keys.roots() : rootsInUse();
            roots = known;
        }
        return known;
    }

    private List<String> rootsInUse() throws S3Failure, InterruptedException {
        List<String> used = new ArrayList<>();
        for (String root : keys.roots()) {
            ListObjectsV2Request request = ListObjectsV2Request.builder()
                    .bucket(bucket.name())
                    .prefix(S3Keys.levels(root))
                    .delimiter("/")
                    .build();
            try {
                if (bucket.endpoint()
                        .call(S3Operation.LIST, 0, (client, progress) -> client.listObjectsV2(request))
                        .hasCommonPrefixes()) {
                    used.add(root);
                }
            } catch (S3Failure failure) {
                // A store that cannot have such keys says so.
                if (!failure.malformed() || root.isEmpty()) {
                    throw failure;
                }
            }
        }
        return used.isEmpty() ? keys.roots().subList(0, 1) : List.copyOf(used);
    }

    @Override
    public void delete(Level level, Collection<TxidRange> ranges) {
        translated("cannot delete from level " + level + " of " + describe(), () -> {
            List<String> doomed = new ArrayList<>();
            for (String root : roots()) {
                for (TxidRange range : ranges) {
                    doomed.add(S3Keys.key(root, level, range));
                }
            }
            deleter.delete(doomed);
            return true;
        });
    }

    @Override
    public void deleteAll() {
        translated("cannot empty " + describe(), () -> {
            for (int number = 0; number <= Level.SNAPSHOT.number(); number++) {
                Level level = new Level(number);
                List<String> doomed = new ArrayList<>();
                for (Found found : found(level, Txid.ZERO).values()) {
                    doomed.add(S3Keys.key(found.root(), level, found.file().range()));
                }
                deleter.delete(doomed);
            }
            return true;
        });
    }
}
