package io.loomstream.engine.wal;

import java.util.Arrays;

/**
 * Which frame has a page last: page number to frame number, in two int arrays (12 bytes a page at the usual load). Not
 * thread-safe.
 */
public final class PageMap {
    private static final int SMALLEST = 16;

    /** 0 marks an empty place: pages count from 1. */
    private int[] pages = new int[SMALLEST];

    private int[] frames = new int[SMALLEST];
    private int size;

    /** How many pages it has. */
    public int size() {
        return size;
    }

    /** The page's frame; 0 when it has none. */
    public int frameOf(int page) {
        return frames[place(pages, page)];
    }

    void put(int page, int frame) {
        int place = place(pages, page);
        if (pages[place] == 0) {
            if (2 * (size + 1) > pages.length) {
                grow();
                place = place(pages, page);
            }
            pages[place] = page;
            size++;
        }
        frames[place] = frame;
    }

    /** The place of a page, or the empty one where it belongs. */
    private static int place(int[] pages, int page) {
        int mask = pages.length - 1;
        // Neighbours in the file should not be neighbours in the table's collisions.
        int place = ((page * 0x9E3779B9) >>> 7) & mask;
        while (pages[place] != page && pages[place] != 0) {
            place = (place + 1) & mask;
        }
        return place;
    }

    private void grow() {
        int[] oldPages = pages;
        int[] oldFrames = frames;
        pages = new int[2 * oldPages.length];
        frames = new int[2 * oldPages.length];
        for (int i = 0; i < oldPages.length; i++) {
            if (oldPages[i] != 0) {
                int place = place(pages, oldPages[i]);
                pages[place] = oldPages[i];
                frames[place] = oldFrames[i];
            }
        }
    }

    void putAll(PageMap newer) {
        for (int i = 0; i < newer.pages.length; i++) {
            if (newer.pages[i] != 0) {
                put(newer.pages[i], newer.frames[i]);
            }
        }
    }

    /** A map without the pages above a database's size; this one when it has none. */
    PageMap upTo(int commitPages) {
        boolean all = true;
        for (int page : pages) {
            all &= page <= commitPages;
        }
        if (all) {
            return this;
        }
        PageMap kept = new PageMap();
        for (int i = 0; i < pages.length; i++) {
            if (pages[i] != 0 && pages[i] <= commitPages) {
                kept.put(pages[i], frames[i]);
            }
        }
        return kept;
    }

    void clear() {
        if (size > 0) {
            Arrays.fill(pages, 0);
            Arrays.fill(frames, 0);
            size = 0;
        }
    }

    /** All page numbers in ascending order. */
    public int[] pageNumbersSorted() {
        int[] sorted = new int[size];
        int count = 0;
        for (int page : pages) {
            if (page != 0) {
                sorted[count++] = page;
            }
        }
        Arrays.sort(sorted);
        return sorted;
    }
}
