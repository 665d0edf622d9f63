package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.admin.AdminOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is served over HTTP, and what is refused because everybody could reach it. */
final class ServingConfigTest {
    private static final String FLEET =
            "multi-db: {patterns: ['/data/*.db'], replica-template: {path: '/b/{{tenant}}'}}\n";

    @TempDir
    private Path directory;

    private ConfigHarness harness;

    @BeforeEach
    void makeHarness() {
        harness = new ConfigHarness(directory);
    }

    private ServingConfig serving(String yaml) throws IOException {
        return harness.load(yaml, true).config().serving();
    }

    @Test
    void aFleetIsServedOnThisMachineUnlessToldOtherwise() throws IOException {
        assertEquals(Optional.of(AdminOptions.DEFAULTS), serving(FLEET).admin());
        assertEquals(Optional.empty(), serving(FLEET + "admin: {addr: off}").admin());
        assertEquals(
                Optional.of(AdminOptions.DEFAULTS.withPort(9000)),
                serving(FLEET + "admin: {addr: '127.0.0.1:9000'}").admin());
    }

    @Test
    void withoutAFleetNothingIsServedUnlessAnAddressIsGiven() throws IOException {
        assertEquals(ServingConfig.NONE, serving("dbs: []"));
        assertEquals(Optional.empty(), serving("admin: {metrics-public: true}").admin());
        assertEquals(
                "::1",
                serving("admin: {addr: '[::1]:81'}").admin().orElseThrow().host());
    }

    @Test
    void everyKeyReachesItsOption() throws IOException {
        Path token = Files.writeString(directory.resolve("token"), "secret\n");
        ServingConfig serving = serving("""
                addr: ":9090"
                metrics: {max-projects: 7}
                admin:
                  addr: ":8443"
                  token-file: TOKEN
                  metrics-public: true
                  hosts: [admin.example.com]
                  restore-dir: /srv/restored
                  tls: {cert: /etc/c.pem, key: /etc/k.pem}
                """.replace("TOKEN", token.toString()));
        assertEquals(
                new AdminOptions(
                        "",
                        8443,
                        Optional.of("secret"),
                        true,
                        Optional.of(new AdminOptions.Tls(Path.of("/etc/c.pem"), Path.of("/etc/k.pem"))),
                        List.of("admin.example.com"),
                        Optional.of(Path.of("/srv/restored"))),
                serving.admin().orElseThrow());
        assertEquals(Optional.of(new ServingConfig.Address("", 9090)), serving.metrics());
        assertEquals(7, serving.projectsMax());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            admin: {addr: ':8080'}                            | admin.addr: without a token only a loopback address
            admin: {addr: '0.0.0.0:8080'}                     | admin.addr: without a token only a loopback address
            admin: {addr: '127.0.0.1'}                        | admin.addr: must contain a port
            admin: {addr: '127.0.0.1:x'}                      | admin.addr: the port must be a number
            admin: {addr: '::1:80'}                           | admin.addr: an IPv6 address must stand in brackets
            admin: {addr: ':1', token: a, token-file: /x}     | admin.token-file: cannot be given beside token
            admin: {addr: ':1', token-file: /no/such}         | admin.token-file: cannot be read
            admin: {addr: ':1', token: a, tls: {cert: /x}}    | admin.tls: needs both cert and key
            admin: {addr: ':1', token: a, hosts: [[a]]}       | admin.hosts: must be a list of names
            addr: localhost                                   | addr: must contain a port
            metrics: {max-projects: 0}                        | metrics.max-projects: must be
            """)
    void whatCannotBeIsRefused(String yaml, String message) {
        ConfigException refused = assertThrows(ConfigException.class, () -> serving(yaml));
        assertTrue(refused.getMessage().contains(message), refused.getMessage());
        assertFalse(refused.getMessage().contains("secret"));
    }
}
