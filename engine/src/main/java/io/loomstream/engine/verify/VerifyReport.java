package io.loomstream.engine.verify;

import io.loomstream.engine.ltx.Txid;
import java.util.List;
import java.util.Optional;

/**
 * What a verification saw and found.
 *
 * @param newest the newest TXID that any file holds
 * @param restorable the newest TXID that can be restored, as far as was looked
 */
public record VerifyReport(
        int files, long sizeBytes, Optional<Txid> newest, Optional<Txid> restorable, List<Finding> findings) {
    public VerifyReport {
        findings = List.copyOf(findings);
    }

    /** Whether nothing found is a problem. */
    public boolean ok() {
        return problems().isEmpty();
    }

    public List<Finding> problems() {
        return findings.stream().filter(finding -> finding.kind().problem()).toList();
    }

    /** What was found and is no problem. */
    public List<Finding> notices() {
        return findings.stream().filter(finding -> !finding.kind().problem()).toList();
    }
}
