// DirectorAPI
