package io.loomstream.perf.jmh;

import java.nio.charset.StandardCharsets;
import java.util.Random;

/** Pages such as a database has, the same for the same seed. */
public final class SamplePages {
    static final int PAGE_BYTES = 4096;
    /** What one benchmark operation works on, so that operations a second are MiB/s. */
    static final int MEBIBYTE = 1 << 20;

    private static final int LEAF_HEADER_BYTES = 8;
    private static final String[] WORDS = {
        "order",
        "customer",
        "invoice",
        "pending",
        "shipped",
        "street",
        "avenue",
        "north",
        "blue",
        "garden",
        "status",
        "urgent",
        "reply",
        "thanks",
        "meeting",
        "Tuesday",
        "amount",
        "example.com",
        "delivered",
        "warehouse",
        "Berlin",
        "Oslo",
        "notes",
        "follow-up",
        "contract",
        "renewal",
        "priority",
        "account",
        "closed",
        "archive"
    };

    private SamplePages() {}

    /** What pages hold. */
    public enum Content {
        /** Leaves of a table of short rows: id, time, reference, some words. LZ4 leaves two thirds. */
        ROWS,
        /** Images, encrypted columns: nothing to compress. */
        RANDOM,
        /** Never written, or freed and zeroed. */
        ZEROS
    }

    static byte[] of(Content content, int bytes, long seed) {
        byte[] pages = new byte[bytes];
        Random random = new Random(seed);
        switch (content) {
            case ZEROS -> {}
            case RANDOM -> random.nextBytes(pages);
            case ROWS -> {
                long row = 1;
                for (int at = 0; at < bytes; at += PAGE_BYTES) {
                    row = fillLeaf(pages, at, row, random);
                }
            }
        }
        return pages;
    }

    /** A table leaf (sqlite.org/fileformat2.html, "B-tree Pages"): cells from the end, pointers to them from the start. */
    private static long fillLeaf(byte[] pages, int page, long firstRow, Random random) {
        long row = firstRow;
        int cells = 0;
        int free = PAGE_BYTES;
        while (true) {
            byte[] cell = cell(row, random);
            int pointer = LEAF_HEADER_BYTES + 2 * cells;
            if (free - cell.length < pointer + 2) {
                break;
            }
            free -= cell.length;
            System.arraycopy(cell, 0, pages, page + free, cell.length);
            putShort(pages, page + pointer, free);
            cells++;
            row++;
        }
        pages[page] = 13; // a table leaf
        putShort(pages, page + 3, cells);
        putShort(pages, page + 5, free);
        return row;
    }

    private static byte[] cell(long row, Random random) {
        StringBuilder text = new StringBuilder();
        text.append("2026-").append(10 + random.nextInt(3)).append('-').append(10 + random.nextInt(19));
        text.append('T').append(10 + random.nextInt(14)).append(':').append(10 + random.nextInt(50));
        text.append(Integer.toHexString(random.nextInt())).append(Long.toHexString(random.nextLong()));
        int words = 3 + random.nextInt(10);
        for (int i = 0; i < words; i++) {
            text.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
        }
        byte[] payload = text.toString().getBytes(StandardCharsets.UTF_8);
        byte[] cell = new byte[7 + payload.length];
        cell[0] = (byte) (payload.length | 0x80);
        cell[1] = (byte) (row >>> 14 | 0x80);
        cell[2] = (byte) (row >>> 7 | 0x80);
        cell[3] = (byte) (row & 0x7F);
        cell[4] = 3; // a record header of three bytes: NULL for the id, one text
        cell[6] = (byte) (13 + 2 * payload.length);
        System.arraycopy(payload, 0, cell, 7, payload.length);
        return cell;
    }

    private static void putShort(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 8);
        bytes[at + 1] = (byte) value;
    }
}
