package dev.spike.http;

import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.UUID;

/** In an H2 file. */
final class JdbcOrderBookH2Test extends JdbcOrderBookContract {

    @TempDir
    Path dir;

    @Override
    String newDatabase() {
        return "jdbc:h2:file:" + dir.resolve(UUID.randomUUID().toString());
    }

    @Override
    void disconnect(String url) throws Exception {
        try (Connection connection = OrderDatabase.H2.dataSource(url).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("shutdown");
        }
    }
}
