package io.loomstream.engine.fleet;

import java.util.Arrays;

/**
 * The directories that a fleet's databases lie in and the ones on the way to them, as primitive arrays: parent, name, and
 * what the last stat said. A database's path is its directory's and its name. Not thread-safe: the path table's lock guards
 * it.
 */
final class DirectoryTable {
    static final int NONE = -1;

    /** Linux takes no longer path (PATH_MAX, with the NUL). */
    static final int PATH_BYTES_MAX = 4095;

    private static final byte LIVE = 1;

    /** Its time of change was so young when it was listed that another change could hide in the same clock tick. */
    private static final byte RACY = 2;

    /** Known to be no other directory of the table under a second path. */
    private static final byte ESTABLISHED = 4;

    private NameArena names = new NameArena();
    private final IntIndex byName = new IntIndex(this::nameHash);
    private final IntIndex byIdentity = new IntIndex(this::identity);
    private int[] parent = new int[0];
    private int[] name = new int[0];
    private long[] digest = new long[0];
    private int[] identity = new int[0];
    private int[] children = new int[0];
    private int[] firstRow = new int[0];
    private int[] label = new int[0];
    private byte[] flags = new byte[0];
    private final Ids roots = new Ids();
    private int limit;
    private int live;
    private int firstFree = NONE;

    /** Every id is below this. */
    int limit() {
        return limit;
    }

    int size() {
        return live;
    }

    boolean isLive(int id) {
        return id < limit && (flags[id] & LIVE) != 0;
    }

    int find(int parentId, byte[] wanted, int length) {
        int slot = byName.slotOf(NameArena.hash(wanted, 0, length, parentId));
        for (int id; (id = byName.at(slot)) != NONE; slot = byName.after(slot)) {
            if (parent[id] == parentId && names.equals(name[id], wanted, length)) {
                return id;
            }
        }
        return NONE;
    }

    /** Adds a directory; a root has no parent and its absolute path, "/" being empty, as its name. */
    int add(int parentId, byte[] newName, int length) {
        int id = firstFree;
        if (id == NONE) {
            id = limit++;
            ensureRoom();
        } else {
            firstFree = parent[id];
        }
        parent[id] = parentId;
        name[id] = names.add(newName, length);
        digest[id] = 0;
        identity[id] = 0;
        children[id] = 0;
        firstRow[id] = NONE;
        label[id] = NONE;
        flags[id] = LIVE;
        byName.add(id, nameHash(id));
        live++;
        if (parentId == NONE) {
            roots.add(id);
        } else {
            children[parentId]++;
        }
        return id;
    }

    private void ensureRoom() {
        if (limit > parent.length) {
            int room = limit + limit / 4 + 16;
            parent = Arrays.copyOf(parent, room);
            name = Arrays.copyOf(name, room);
            digest = Arrays.copyOf(digest, room);
            identity = Arrays.copyOf(identity, room);
            children = Arrays.copyOf(children, room);
            firstRow = Arrays.copyOf(firstRow, room);
            label = Arrays.copyOf(label, room);
            flags = Arrays.copyOf(flags, room);
        }
    }

    /** Whether a directory holds neither rows nor directories and is no root. */
    boolean isRemovable(int id) {
        return parent[id] != NONE && children[id] == 0 && firstRow[id] == NONE;
    }

    void remove(int id) {
        byName.remove(id, nameHash(id));
        setIdentity(id, 0);
        names.forget(name[id]);
        children[parent[id]]--;
        flags[id] = 0;
        parent[id] = firstFree;
        firstFree = id;
        live--;
        if (names.wantsCompaction()) {
            NameArena compact = new NameArena();
            for (int i = 0; i < limit; i++) {
                if (isLive(i)) {
                    name[i] = compact.adopt(names, name[i]);
                }
            }
            names = compact;
        }
    }

    /**
     * Writes a directory's absolute path.
     *
     * @return its length; "/" has length 0 here, so that a slash and a name can always follow
     */
    int path(int id, byte[] into) {
        int length = pathLength(id);
        int end = length;
        for (int at = id; at != NONE; at = parent[at]) {
            int own = names.length(name[at]);
            end -= own;
            names.copyTo(name[at], into, end);
            if (parent[at] != NONE) {
                into[--end] = '/';
            }
        }
        return length;
    }

    int pathLength(int id) {
        int length = 0;
        for (int at = id; at != NONE; at = parent[at]) {
            length += names.length(name[at]) + (parent[at] == NONE ? 0 : 1);
        }
        return length;
    }

    /** The directories without a parent; they are never removed. */
    Ids roots() {
        return roots;
    }

    private int nameHash(int id) {
        return names.hash(name[id], parent[id]);
    }

    int identity(int id) {
        return identity[id];
    }

    /** Notes which directory it is; 0 for unknown. */
    void setIdentity(int id, int value) {
        if (identity[id] != value) {
            if (identity[id] != 0) {
                byIdentity.remove(id, identity[id]);
            }
            identity[id] = value;
            if (value != 0) {
                byIdentity.add(id, value);
            }
        }
    }

    boolean isEstablished(int id) {
        return (flags[id] & ESTABLISHED) != 0;
    }

    void establish(int id) {
        flags[id] |= ESTABLISHED;
    }

    /**
     * Directories that may be the same one and have the better right: of two new ones the lower number, so that two threads
     * that meet both cannot both give way.
     */
    int[] rivals(int own) {
        int value = identity[own];
        return Ids.matching(
                byIdentity, value, id -> id != own && identity[id] == value && (isEstablished(id) || id < own));
    }

    /** Whether the directory must be listed: it is not proven to be as it was at its last listing. */
    boolean isChanged(int id, long current) {
        return digest[id] != current || (flags[id] & RACY) != 0;
    }

    /**
     * Notes that a directory was listed, after it was stated.
     *
     * @param again it must be listed again whatever its next stat says
     */
    void setListed(int id, long value, boolean again) {
        digest[id] = value;
        flags[id] = (byte) (again ? flags[id] | RACY : flags[id] & ~RACY);
    }

    int firstRow(int id) {
        return firstRow[id];
    }

    void setFirstRow(int id, int row) {
        firstRow[id] = row;
    }

    /** A number that somebody keeps with a directory; NONE in a new one. */
    int label(int id) {
        return label[id];
    }

    void setLabel(int id, int value) {
        label[id] = value;
    }

    long bytes() {
        return names.bytes() + byName.bytes() + byIdentity.bytes() + parent.length * (4L + 4 + 8 + 4 + 4 + 4 + 4 + 1);
    }
}
