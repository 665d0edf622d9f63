package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaTree;
import io.loomstream.engine.testing.s3.S3Server;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

class S3ReplicaTreeTest {
    private @Nullable S3Server server;
    private @Nullable S3Endpoints endpoints;
    private final TreeMap<String, String> found = new TreeMap<>();
    private final List<String> refused = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        server = S3Server.inMemory();
        endpoints = S3Setup.endpoints();
    }

    @AfterEach
    void stop() throws Exception {
        endpoints.close();
        server.close();
    }

    private void put(String key) {
        byte[] bytes = "x".getBytes(StandardCharsets.UTF_8);
        PutObjectRequest request = PutObjectRequest.builder()
                .bucket(S3Server.BUCKET)
                .key(key)
                .contentLength((long) bytes.length)
                .build();
        server.store().putBlob(request, new ByteArrayInputStream(bytes));
    }

    private static String ltx(int level, int txid) {
        return "%04x/%016x-%016x.ltx".formatted(level, txid, txid);
    }

    private void find(String path) throws InterruptedException {
        find(endpoints.tree(S3Setup.settings(server.endpoint()).path(path).build()));
    }

    private void find(ReplicaTree tree) throws InterruptedException {
        tree.forEach(new ReplicaTree.Visitor() {
            @Override
            public void found(String path, ReplicaClient replica) {
                assertEquals(null, found.put(path, replica.describe()), path + " is found once");
            }

            @Override
            public void refused(String key, String why) {
                refused.add(key);
            }
        });
    }

    @Test
    void findsEachReplicaOnceAndNothingElse() throws Exception {
        put("fleet/a/" + ltx(0, 1));
        put("fleet/a/" + ltx(0, 2));
        put("fleet/a/" + ltx(9, 1));
        put("fleet/a/b/" + ltx(0, 1));
        put("fleet/a/c/" + ltx(1, 1));
        put("fleet/a b/ü.db/" + ltx(0, 1));
        put("fleet/a-x/" + ltx(0, 1));
        put("fleet/_loomstream/node/hot-list.json");
        put("fleet/_loomstream/" + ltx(0, 1));
        put("fleet/notes/0000/readme.txt");
        put("fleet/twelve/" + ltx(12, 1));
        put("fleets/other/" + ltx(0, 1));

        find("fleet");

        assertEquals(
                List.of("a", "a b/ü.db", "a-x", "a/b", "a/c"),
                found.keySet().stream().toList());
        assertEquals("s3://" + S3Server.BUCKET + "/fleet/a/b", found.get("a/b"));
        assertEquals(List.of(), refused);
    }

    @Test
    void findsMoreThanOnePageOfKeys() throws Exception {
        for (int i = 0; i < 1100; i++) {
            put("fleet/%04d.db/".formatted(i) + ltx(0, 1));
        }

        find("fleet");

        assertEquals(1100, found.size());
    }

    @Test
    void thePlaceItselfMayBeAReplica() throws Exception {
        put("fleet/app/" + ltx(0, 1));

        find("fleet/app");
        assertEquals("s3://" + S3Server.BUCKET + "/fleet/app", found.get(""));
        found.clear();
        find("");
        assertEquals(Set.of("fleet/app"), found.keySet());
    }

    @Test
    void aReplicaThatIsFoundCanBeListed() throws Exception {
        put("fleet/app/" + ltx(0, 7));
        List<String> names = new ArrayList<>();
        endpoints
                .tree(S3Setup.settings(server.endpoint()).path("fleet").build())
                .forEach(new ReplicaTree.Visitor() {
                    @Override
                    public void found(String path, ReplicaClient replica) {
                        replica.list(Level.L0, Txid.ZERO)
                                .forEach(file -> names.add(file.range().fileName()));
                    }

                    @Override
                    public void refused(String key, String why) {
                        throw new AssertionError(key);
                    }
                });
        assertEquals(List.of("0000000000000007-0000000000000007.ltx"), names);
    }
}
