package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxHeader;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The simplest restore there can be: every L0 file of a replica applied in order. */
final class Restored {
    private Restored() {}

    static Path latest(Path replica, Path target) throws IOException, InterruptedException {
        List<Path> files;
        try (Stream<Path> listed = Files.list(replica.resolve("ltx/0"))) {
            files = listed.filter(f -> f.toString().endsWith(".ltx")).sorted().toList();
        }
        try (RandomAccessFile out = new RandomAccessFile(target.toFile(), "rw")) {
            out.setLength(0);
            for (Path file : files) {
                try (InputStream in = Files.newInputStream(file);
                        LtxDecoder decoder = new LtxDecoder(in, file.toString(), CodecResources.shared())) {
                    LtxHeader header = decoder.header();
                    byte[] page = new byte[header.pageSize()];
                    for (int n = decoder.nextPage(page, 0); n != 0; n = decoder.nextPage(page, 0)) {
                        out.seek((n - 1L) * page.length);
                        out.write(page);
                    }
                    decoder.finish();
                    out.setLength((long) header.commit() * header.pageSize());
                }
            }
        }
        return target;
    }

    static int files(Path replica) throws IOException {
        try (Stream<Path> listed = Files.list(replica.resolve("ltx/0"))) {
            return (int) listed.filter(f -> f.toString().endsWith(".ltx")).count();
        }
    }
}
