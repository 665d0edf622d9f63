package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.posix.StatBuffer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the scanner relies on, of system calls and of java.nio alike. */
class FileViewTest {
    private static final Posix POSIX = Posix.load().orElseThrow();

    @TempDir
    Path directory;

    static Stream<FileView> views() {
        return Stream.of(FileView.of(Optional.of(POSIX)), FileView.of(Optional.empty()));
    }

    private static int open(FileView view, Path path) {
        byte[] bytes = path.toString().getBytes(UTF_8);
        return view.open(bytes, bytes.length);
    }

    private static int stat(FileView view, Path path, boolean follow, StatBuffer into) {
        byte[] bytes = path.toString().getBytes(UTF_8);
        return view.stat(bytes, bytes.length, follow, into);
    }

    private static int statHere(FileView view, String name, StatBuffer into) {
        byte[] bytes = name.getBytes(UTF_8);
        return view.statHere(bytes, bytes.length, into);
    }

    private static Set<String> list(FileView view) {
        Set<String> names = new HashSet<>();
        int got;
        while ((got = view.next()) == 1) {
            assertTrue(names.add(new String(view.name(), 0, view.nameLength(), UTF_8)), "listed twice");
        }
        assertEquals(0, got);
        return names;
    }

    @ParameterizedTest
    @MethodSource("views")
    void listsEveryNameOnceAlsoManyAndOddOnes(FileView view) throws IOException {
        Set<String> expected = new HashSet<>(Set.of("a b", "new\nline", "é", "e\u0301", "x".repeat(255), "-", "..."));
        for (int i = 0; i < 3_000; i++) {
            expected.add("file-with-a-rather-long-name-" + i);
        }
        for (String name : expected) {
            Files.createFile(directory.resolve(name));
        }
        assertEquals(0, open(view, directory));
        assertEquals(expected, list(view));
        view.close();
    }

    @ParameterizedTest
    @MethodSource("views")
    void statsAsTheSystemDoesAndFollowsLinksOnlyWhenAsked(FileView view) throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "12345");
        Files.createSymbolicLink(directory.resolve("link"), file);
        Files.createSymbolicLink(directory.resolve("loop"), directory.resolve("loop"));
        FileStat expected = POSIX.stat(file).orElseThrow();
        StatBuffer stat = new StatBuffer();
        assertEquals(0, open(view, directory));
        assertEquals(0, statHere(view, "file", stat));
        assertEquals(expected.inode(), stat.inode());
        assertEquals(expected.sizeBytes(), stat.sizeBytes());
        assertEquals(expected.modifiedNanos(), stat.modifiedNanos());
        assertEquals(expected.changedNanos(), stat.changedNanos());
        assertEquals(expected.mode(), stat.mode());
        assertTrue(stat.isRegularFile());
        assertEquals(0, statHere(view, "link", stat));
        assertTrue(stat.isLink());
        assertEquals(0, stat(view, directory.resolve("link"), true, stat));
        assertEquals(expected.inode(), stat.inode());
        assertEquals(0, stat(view, directory, true, stat));
        assertTrue(stat.isDirectory());
        assertFalse(stat(view, directory.resolve("loop"), true, stat) == 0);
        view.close();
    }

    @ParameterizedTest
    @MethodSource("views")
    void onlyAMissingFileIsReportedAsMissing(FileView view) throws IOException {
        Files.createFile(directory.resolve("file"));
        StatBuffer stat = new StatBuffer();
        assertEquals(DirectoryReader.ENOENT, stat(view, directory.resolve("none"), true, stat));
        assertEquals(DirectoryReader.ENOENT, open(view, directory.resolve("none")));
        assertFalse(isGone(stat(view, directory.resolve("file/x"), true, stat)), "its parent is a file");
        assertFalse(isGone(open(view, directory.resolve("file"))), "no directory");
        assertFalse(isGone(stat(view, directory.resolve("y".repeat(256)), true, stat)), "name too long");
        assertEquals(0, open(view, directory));
        assertEquals(DirectoryReader.ENOENT, statHere(view, "none", stat));
        view.close();
    }

    private static boolean isGone(int errno) {
        return errno == 0 || errno == DirectoryReader.ENOENT;
    }

    @Test
    void typesAndBytesComeAsTheKernelGivesThem() throws Exception {
        Process python = new ProcessBuilder(
                        "python3",
                        "-c",
                        "import os,sys; os.close(os.open(sys.argv[1].encode()+b'/a\\xe9.db', os.O_CREAT))",
                        directory.toString())
                .inheritIO()
                .start();
        assertEquals(0, python.waitFor());
        FileView view = FileView.of(Optional.of(POSIX));
        assertEquals(0, open(view, directory));
        assertEquals(1, view.next());
        assertEquals(DirectoryReader.TYPE_REGULAR, view.type());
        assertEquals(5, view.nameLength());
        assertEquals((byte) 0xE9, view.name()[1]);
        assertEquals(0, view.statHere(view.name(), view.nameLength(), new StatBuffer()));
        assertEquals(0, view.next());
        Path other = Files.createDirectory(directory.resolve("other"));
        Files.createDirectory(other.resolve("d"));
        assertEquals(0, open(view, other));
        assertEquals(1, view.next());
        assertEquals(DirectoryReader.TYPE_DIRECTORY, view.type());
        view.close();
    }

    @Test
    void descriptorsAreGivenBack() throws IOException {
        FileView view = FileView.of(Optional.of(POSIX));
        long before = descriptors();
        for (int i = 0; i < 100; i++) {
            assertEquals(0, open(view, directory));
        }
        view.close();
        view.close();
        assertTrue(descriptors() < before + 50, "other threads may open some");
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.count();
        }
    }

    @Test
    void cpuTimeOfTheThreadMoves() {
        FileView view = FileView.of(Optional.of(POSIX));
        long before = view.threadCpuNanos();
        assertTrue(before > 0);
        long sum = 0;
        while (view.threadCpuNanos() <= before) {
            sum++;
        }
        assertTrue(sum >= 0);
    }
}
