package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.nio.file.Path;

/** The BOM, which has no parent and so writes its versions itself, agrees with the build. */
final class BomTest {

    @Test
    void bom_managesTheLibrariesAndTheirClient_asTheBuildDoes_andNothingElse() throws Exception {
        Pom build = Pom.read(Path.of("../pom.xml"));
        Pom bom = Pom.read(Path.of("../spike-bom/pom.xml"));
        assertThat(bom.hasParent()).isFalse();
        assertThat(bom.version()).isEqualTo(build.version());
        assertThat(bom.managed())
                .containsOnlyKeys(
                        "dev.spike:spike-core",
                        "dev.spike:spike-redis",
                        "redis.clients:jedis",
                        "org.apache.commons:commons-pool2");
        assertThat(build.managed()).containsAllEntriesOf(bom.managed());
        assertThat(build.plugins()).containsAllEntriesOf(bom.plugins());
    }
}
